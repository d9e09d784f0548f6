"""Ablation studies: which recipes they are made of, and the names of their steps."""
