"""What a recipe leaves to the machine, measured before training."""
