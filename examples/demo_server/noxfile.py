"""Run the tests, against the sources and against compiled modules: see ``nox --list``."""

from cannery.sessions import tests, tests_compiled

__all__ = ["tests", "tests_compiled"]
