"""Packages: a network with all that its use elsewhere needs, and whether one still holds."""
