"""Folders and files of a vault, by descriptors or by paths, on every system."""
