"""RFC 3161 timestamps: how an authority is asked, what its tokens say, and where they are kept."""
