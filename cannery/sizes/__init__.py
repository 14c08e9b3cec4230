"""What takes the bytes of an image, whoever made it, and what changed between two."""
