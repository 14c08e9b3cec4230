"""The parts of Dockerfiles as they lie in the folder ``templates``, with ``@{holes}`` to fill."""

from __future__ import annotations

import string

from cannery.project.dockerfile import MARK
from cannery.workspace.keys import package_file

__all__ = ["MARK", "filled"]

_FOLDER = package_file("recipes/dockerfile/templates")


class _Template(string.Template):
    """A template that leaves shells' and Dockerfiles' variables alone."""

    delimiter = "@"
    idpattern = "(?!)"  # only braces make a hole
    braceidpattern = r"\w+"


def filled(part: str, /, **holes: str) -> str:
    """The part of that name, each hole filled; a hole that nothing is given for raises :class:`KeyError`."""
    return _Template((_FOLDER / f"{part}.dockerfile").read_text(encoding="utf-8")).substitute(holes)
