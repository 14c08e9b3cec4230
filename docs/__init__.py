"""The guide's pages, and in :mod:`docs.making` what makes parts of it."""
