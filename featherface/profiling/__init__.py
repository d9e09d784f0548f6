"""What a network costs: parameters, multiply-accumulates, time, memory, size on disk."""
