"""A Python out of a distribution's packages: signed lists, packages by their hash, and nothing of them is run."""
