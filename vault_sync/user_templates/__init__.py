"""Templates of the student's own, rendered where they can neither reach out nor run on for ever."""
