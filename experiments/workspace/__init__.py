"""The folder of one thesis: settings, claims, paths, locks, and what git must know."""
