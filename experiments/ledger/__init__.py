"""What a workspace remembers of its runs: version numbers given, seals seen, runs removed."""
