"""Where images go: one medium to a module."""
