"""The names that programs of Python have."""

from __future__ import annotations

import re

__all__ = ["is_python"]

_PYTHON = re.compile(r"python(\d+(\.\d+)*t?)?")  # t: the build without the global interpreter lock


def is_python(name: str) -> bool:
    """True if a program called ``name`` is a Python: ``python``, ``python3``, ``python3.13``, not ``python-dotenv``."""
    return _PYTHON.fullmatch(name) is not None
