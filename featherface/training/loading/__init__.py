"""Batches: read, augmented, collated, by several workers where wanted."""
