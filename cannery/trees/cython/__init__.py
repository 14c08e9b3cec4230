"""The app's modules compiled by Cython."""
