"""A prompt of Python's, as somebody at a terminal uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pexpect

if TYPE_CHECKING:
    from typing import Any

__all__ = ["interrupt"]

_TRIES = 12
_PATIENCE = 5  # seconds


def interrupt(child: pexpect.spawn[Any]) -> None:
    """Press Ctrl-C until the prompt says so: Python loses one that comes after it wrote ``>>>`` and before it reads."""
    for _ in range(_TRIES):
        child.sendintr()
        if child.expect(["KeyboardInterrupt", pexpect.TIMEOUT], timeout=_PATIENCE) == 0:
            return
    raise AssertionError(f"Ctrl-C did nothing: {child.before!r}")
