"""Whether the program of an image does what it does in a virtual environment."""
