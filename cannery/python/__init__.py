"""A Python: which there are, what one is, its standard library, its bytecode, its wheels."""
