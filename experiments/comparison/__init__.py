"""Comparison of runs: differences, bootstrap and seed statistics, and recipe differences."""
