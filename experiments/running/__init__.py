"""From a recipe to a sealed record: the stages of a run and what they are given."""
