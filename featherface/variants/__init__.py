"""The table of model variants, and what an entry may hold. Lean: nothing heavy is imported."""
