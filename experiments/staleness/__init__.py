"""Whether what a run's numbers follow from has changed since."""
