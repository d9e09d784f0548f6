"""8-bit networks: layers quantised, how far that moves answers, and which are left alone."""
