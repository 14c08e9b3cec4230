"""From tree to tree."""
