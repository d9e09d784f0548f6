"""A closer look at a run: its errors, its detections, its training."""
