"""Plots as PNG bytes, the same for the same numbers, in English or French."""
