"""The embedded data set, drawn from a seed, and sets composed of others."""
