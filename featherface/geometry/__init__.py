"""Boxes, priors, detections, and the suppression of duplicates."""
