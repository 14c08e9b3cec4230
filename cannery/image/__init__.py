"""How a tree becomes an image: archives, compression, configuration, manifest."""
