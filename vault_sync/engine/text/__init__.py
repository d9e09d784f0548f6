"""Markers, front matter and properties of a note, byte by byte."""
