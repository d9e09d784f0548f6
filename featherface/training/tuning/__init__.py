"""Automatic choice of batch size, precision and memory format, by measuring."""
