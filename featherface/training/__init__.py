"""The training loop, its configuration, and what it keeps to go on after a crash."""
