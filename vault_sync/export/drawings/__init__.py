"""What Obsidian and its plugins draw: shown as pictures."""
