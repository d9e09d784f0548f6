"""What a recipe may set of training and distillation. Lean: nothing heavy is imported."""
