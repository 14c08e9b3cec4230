"""cannery packs a Python project into a small, sealed, reproducible container image."""

__version__ = "0.1.0"
