"""The parts of `benchmarks/serving.py`: what clients send, and how they wait for an answer."""
