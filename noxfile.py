"""Check this project: ``nox`` runs the checks and the tests, ``nox --list`` says what else there is."""

from cannery.sessions import export, lint, tests

__all__ = ["export", "lint", "tests"]
