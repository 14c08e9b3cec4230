"""What a shell may complete behind a flag: the values that it takes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from cannery.project.flags import FLAGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["VALUES", "values_for"]

# By the flag, without its dashes.
VALUES: Final[Mapping[str, Sequence[str]]] = {
    **{name.replace("_", "-"): flag.values for name, flag in FLAGS.items() if flag.values},
    "fail-on": ("critical", "high", "medium", "low", "info", "never"),
    "form": ("static", "file", "folder"),
    "only": ("containers", "images", "cache"),
}


def values_for(line: str) -> Sequence[str]:
    """The values for the flag that ``line``, which a shell would have completed, ends in; none for another end.

    The last word may be the flag, or the beginning of its value; bash takes ``=`` for a word of its own.
    """
    try:
        words = [word for word in shlex.split(line) if word != "="]
    except ValueError:  # a quotation that isn't closed yet
        return ()
    flags = (word.partition("=")[0] for word in reversed(words[-2:]) if word.startswith("--"))
    return VALUES.get(next(flags, "").removeprefix("--"), ())
