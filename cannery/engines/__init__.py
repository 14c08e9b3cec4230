"""What runs an image: an engine, or the embedded runner where there is none."""
