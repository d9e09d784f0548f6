"""Training samples changed at random: geometry, colours, mixing, copy-paste."""
