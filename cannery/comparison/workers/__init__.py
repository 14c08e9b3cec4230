"""Code that another Python runs: the one of an image, or of a virtual environment; it knows nothing of cannery."""
