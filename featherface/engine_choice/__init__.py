"""Which engine computes a network: converted on the fly, the fastest one here, or as wanted."""
