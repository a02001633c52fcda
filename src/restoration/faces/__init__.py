"""Faces: where they are, and which ones are one person's from frame to frame."""
