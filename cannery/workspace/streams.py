"""Standard streams that nobody reads any more."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["abandon", "show"]


def show(text: str) -> bool:
    """Print ``text`` on standard error; False when nobody reads that."""
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
    """Send to nowhere what is still written to ``stream``: Python flushes it once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
