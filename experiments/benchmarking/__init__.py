"""What networks cost: cases of size, batch and engine, their metrics, and files of every format."""
