"""Runs side by side: differences, how sure they are, and what they were made by."""
