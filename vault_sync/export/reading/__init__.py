"""Obsidian's Markdown read into pandoc's tree."""
