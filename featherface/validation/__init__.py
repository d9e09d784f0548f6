"""Whether a network is what it claims to be. `loop` is the door; `names` is lean."""
