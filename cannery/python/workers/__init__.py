"""Code that another Python runs while something is made; it knows nothing of cannery."""
