"""Tests of Pythons out of packages."""
