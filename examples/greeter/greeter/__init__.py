"""A command line that greets."""
