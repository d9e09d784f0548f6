"""Layers that blocks are made of."""
