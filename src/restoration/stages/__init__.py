"""Stages: functions from frames to frames, and the one runner that they share."""
