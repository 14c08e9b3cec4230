"""A file that the program looks for."""

FILE = "/nowhere"
