"""What Markdown says, whatever its layout: the notion of sameness of blocks and their diffs."""
