"""What commands print for a person, where that takes more than a table."""
