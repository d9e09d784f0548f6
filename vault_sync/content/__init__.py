"""Which notes and blocks a vault gets, and what stands in each."""
