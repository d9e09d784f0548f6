"""Numbers in prose, bound to the records they come from."""
