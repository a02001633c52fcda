"""Faces in frames."""
