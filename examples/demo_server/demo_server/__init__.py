"""A service that finds its own parts."""
