"""The building blocks, one module each, and the detector made of them."""
