"""What reads files that keep texts in a form of their own: documents, databases, pickles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, TypeAlias

from cannery.secrets.budget import Budget

__all__ = ["Texts", "texts_of"]

Texts: TypeAlias = Callable[[BinaryIO, Budget], Iterator[tuple[str, BinaryIO]]]  # what they are of, and themselves


_PICKLE: Final = re.compile(
    rb"\x80[\x02-\x05][\x95(}\])ccXUKMq\x8c\x8e]|\((?:dp?|lp)\d*\n|\(i[\w.]+\n|ccopy_reg\n"
)  # of protocols 2 to 5, and 0


def texts_of(head: bytes) -> Texts | None:
    """What reads the texts of a file that begins with ``head``; None for one that has them as they are."""
    if head.startswith(b"%PDF-"):
        from cannery.secrets.pdf import inside_pdf  # noqa: PLC0415  # most files are none

        return inside_pdf
    if head.startswith(b"SQLite format 3\0"):
        from cannery.secrets.databases import inside_sqlite  # noqa: PLC0415  # as above

        return inside_sqlite
    if head.startswith(b"bplist00"):
        from cannery.secrets.property_lists import inside_property_list  # noqa: PLC0415  # as above

        return inside_property_list
    if _PICKLE.match(head):
        from cannery.secrets.pickles import inside_pickle  # noqa: PLC0415  # as above

        return inside_pickle
    return None
