"""A REST API that returns a random number."""
