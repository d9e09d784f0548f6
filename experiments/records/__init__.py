"""Sealed records of runs: written, read, listed, found, verified."""
