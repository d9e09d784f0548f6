"""Frames of videos and cameras, read and written through PyAV, an extra."""
