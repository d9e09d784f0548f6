"""The network that a command runs: the options that name it, and loading it."""
