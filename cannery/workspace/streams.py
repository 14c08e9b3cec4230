"""Standard streams, which may be closed or read by nobody."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["abandon", "show"]


def show(text: str) -> bool:
    """Print ``text`` on standard error; False when nobody reads it."""
    if sys.stderr is None:
        return False
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        abandon(sys.stderr)
        return False
    return True


def abandon(stream: TextIO) -> None:
    """Discard all that is still written to ``stream``, so that Python's last flush at its end raises nothing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
