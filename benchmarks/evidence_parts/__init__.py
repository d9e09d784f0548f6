"""The parts of `benchmarks/evidence.py`: the finished workspace, the verbs, and what is done."""
