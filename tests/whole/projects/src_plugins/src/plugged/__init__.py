"""Finds its plugins."""
