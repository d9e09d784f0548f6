"""What the thesis claims, checked against sealed runs: pass, fail, stale or not measurable."""
