"""Open a note in Obsidian: which one is meant, its address, and who takes it there."""
