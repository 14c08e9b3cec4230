"""A base: the image that an app's layers go on top of, and the Python in it."""
