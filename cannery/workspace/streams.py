"""Standard streams, which may be closed or read by nobody, and on a terminal obey what is written to them.

Texts from outside (names of files, what registries and programs say) may hold control sequences: :func:`visible` makes
them visible, and all that cannery says goes through it.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["abandon", "say", "show", "visible"]

_STYLES: Final = r"\x1b\[(?:0|[12]|(?:1;)?3[1-6])m"  # SGR (ECMA-48, 8.3.117): bold, dim, and colours that can be seen
# C0 and C1 but tab and line feed; and what reorders or hides text (Unicode Standard Annex #9, 2)
_CONTROLS: Final = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
_OUTSIDE: Final = re.compile(f"({_STYLES})|{_CONTROLS}")


def visible(text: str) -> str:
    """``text`` with control characters as Python escapes them; colours and bold type stay."""
    return _OUTSIDE.sub(lambda found: found[1] or found[0].encode("unicode_escape").decode("ascii"), text)


def say(text: str) -> None:
    """Print ``text``, and the end of its line, on standard output."""
    print(visible(text))  # noqa: T201


def show(text: str) -> bool:
    """Print ``text`` on standard error; False when nobody reads it."""
    if sys.stderr is None:
        return False
    try:
        sys.stderr.write(f"{visible(text)}\n")
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
