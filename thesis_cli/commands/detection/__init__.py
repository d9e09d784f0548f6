"""What `thesis detect` is made of: what it looks at, what it writes, what it tells."""
