"""The texts of pickles, which are read and never loaded: a name and its value to each line."""

from __future__ import annotations

import io
import json
import pickletools
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from cannery.image.hashing import buffered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.secrets.budget import Budget

__all__ = ["inside_pickle"]

_MOST: Final = 1_000_000  # steps that are read
_LARGEST: Final = 1 << 22  # bytes of text that are kept
_TEXTS: Final = frozenset(
    ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING")
)
_PASSED: Final = frozenset(("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "FRAME", "PROTO", "MARK"))


def inside_pickle(stream: BinaryIO, _: Budget) -> Iterator[tuple[str, BinaryIO]]:
    """The texts of a pickle, those of a dictionary beside their names."""
    lines, before, size = [], "", 0
    try:
        for step, value, _place in islice(pickletools.genops(cast("BinaryIO", _Whole(stream))), _MOST):
            if step.name in _TEXTS and isinstance(value, str):
                lines.append(json.dumps({before: value} if before else value))
                before = value if len(value) < 100 else ""  # noqa: PLR2004  # longer than names are
                size += len(value)
            elif step.name not in _PASSED:
                before = ""
            if size > _LARGEST:
                break
    except Exception:  # noqa: BLE001, S110  # a damaged one ends wherever: what was read is looked at
        pass
    yield "a pickle", io.BytesIO("\n".join(lines).encode("utf-8", "replace"))


class _Whole:
    """A stream that gives all that is asked for, where there is as much."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = buffered(stream)

    def read(self, size: int) -> bytes:
        """Read ``size`` bytes."""
        if size > _LARGEST:
            raise EOFError
        return self._stream.read(size)

    def readline(self) -> bytes:
        """Read a line."""
        return self._stream.readline(_LARGEST)
