"""Whether a data set is whole, and free of what occurs twice."""
