"""The trees of an image, and transforms from tree to tree: one maker or transform to a module."""
