"""The few bytes of a content that may be a part of a token: the rest is passed over at the speed of memory."""

from __future__ import annotations

import string
from typing import Final

__all__ = ["SHORTEST", "sift"]

SHORTEST: Final = 20  # letters: no token that services issue is shorter
_LETTERS: Final = (string.ascii_letters + string.digits + "_-.+/=~%:@?&\\").encode()
_OTHER, _LETTER = b"\0", b"a"
_MARKS: Final = bytes(ord(_LETTER) if byte in _LETTERS else 0 for byte in range(256))
_RUN: Final = _LETTER * SHORTEST


def sift(window: bytes) -> bytes:
    """The runs in ``window`` of letters that tokens are made of, as long as a token at least, a line to each."""
    marks = window.translate(_MARKS)
    runs = []
    start = marks.find(_RUN)
    while start >= 0:
        stop = marks.find(_OTHER, start + SHORTEST)
        stop = len(marks) if stop < 0 else stop
        runs.append(window[start:stop])
        start = marks.find(_RUN, stop)
    return b"\n".join(runs)
