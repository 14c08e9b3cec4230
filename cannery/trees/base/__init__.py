"""A base: an image that ours goes on top of, and the Python in it."""
