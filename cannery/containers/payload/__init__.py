"""Code that is shipped in what is made; it knows nothing of cannery."""
