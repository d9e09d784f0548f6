"""Pictures and their faces: reading, checking, drawing and augmenting them."""
