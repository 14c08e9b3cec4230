"""``cannery``: the same tasks as a command of its own, for a folder with no ``tasks.py``."""

from __future__ import annotations

from invoke.program import Program

from cannery import __version__
from cannery.tasks import namespace

__all__ = ["main", "program"]

program = Program(name="cannery", binary="cannery", binary_names=["cannery"], namespace=namespace, version=__version__)


def main() -> None:
    """Run the command line."""
    program.run()
