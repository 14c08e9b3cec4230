"""The program around a static executable's modules; shipped in it, so it knows nothing of cannery."""
