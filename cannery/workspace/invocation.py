"""How this program was started."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

__all__ = ["program_name"]


_PROGRAMS: Final = {"invoke", "inv", "cannery"}


def program_name() -> str:
    """The words that this program was started by, so that what is advised can be typed.

    They are ``invoke``, ``inv`` or ``cannery``, with the path where ``PATH`` doesn't lead there, ``uvx cannery``, or
    ``python -m cannery``.
    """
    program = Path(sys.argv[0])
    if program.name == "__main__.py" and program.parent.name in _PROGRAMS:  # what python -m leaves there
        return f"python -m {program.parent.name}"
    if program.name not in _PROGRAMS:
        return "cannery"  # somebody else's program, which calls a task
    if any(part.startswith("archive-v") for part in program.parts):  # uv's cache
        return f"uvx {program.name}"
    found = shutil.which(program.name)
    return program.name if found and Path(found).resolve() == program.resolve() else str(program)
