"""Reading and writing weights, ours and published ones."""
