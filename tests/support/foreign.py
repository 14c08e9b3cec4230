"""Data as nobody should write it: JSON of any form, documents with one thing wrong, bytes that were damaged."""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ANY_JSON", "QUICK", "damaged", "edited", "odd_lines"]

# A few examples, the same each time; as many as the variable FOREIGN_EXAMPLES says, and others each time, with that
QUICK: Final = settings(
    max_examples=int(os.environ.get("FOREIGN_EXAMPLES", "40")),
    derandomize="FOREIGN_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

_ODD_TEXTS: Final = st.sampled_from(
    ["", "\0", "\x1b[31m", "..", "/", "../../x", "a" * 300, "\ud800", "sha256:", "-", "~", "${HOME}", "\r\n", "é", "🙈"]
)
_ODD_NUMBERS: Final = st.sampled_from([-1, 0, 1, 2**31, 2**63, 2**64, 10**30, -(10**30), 0.5, 1e308])
_SCALARS: Final = st.one_of(st.none(), st.booleans(), _ODD_NUMBERS, _ODD_TEXTS, st.text(max_size=8))
ANY_JSON: Final = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5) | _ODD_TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def edited(draw: st.DrawFn, document: Any) -> Any:
    """``document`` with something else in one place, or nothing, or one thing more."""
    whole = [copy.deepcopy(document)]
    places = list(_places(whole))
    for _ in range(draw(st.integers(1, 2))):
        holder, key = draw(st.sampled_from(places))
        if draw(st.booleans()) and (isinstance(holder, dict) or key < len(holder)):
            holder[key] = draw(ANY_JSON)
        elif isinstance(holder, dict):
            holder.pop(key, None)
        else:
            holder.append(draw(ANY_JSON))
    return whole[0] if whole else None


def _places(whole: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Each holder of a value in ``whole``, with the key of it there."""
    pending: list[Any] = [whole]
    for holder in pending:
        for key, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
            yield holder, key
            if isinstance(value, dict | list):
                pending.append(value)


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """``data`` with bytes that are others, missing or doubled."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(changed) - 1)))
        match draw(st.sampled_from(["flip", "set", "cut", "drop", "double"])):
            case "flip":
                changed[at : at + 1] = bytes([byte ^ (1 << draw(st.integers(0, 7))) for byte in changed[at : at + 1]])
            case "set":
                changed[at : at + 4] = draw(
                    st.sampled_from([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\x80"])
                )
            case "cut":
                del changed[at:]
            case "drop":
                del changed[at : at + draw(st.integers(1, 64))]
            case _:
                changed[at:at] = changed[at : at + draw(st.integers(1, 64))]
    return bytes(changed)


def odd_lines(*samples: str) -> st.SearchStrategy[str]:
    """Texts of lines that are like the ``samples``, cut and put together."""
    pieces = sorted({piece for sample in samples for piece in sample.replace("\n", " \n ").split(" ")})
    word = st.sampled_from(pieces) | _ODD_TEXTS | st.text(max_size=4)
    glue = st.sampled_from(["", " ", "\n", "\t", '"', "'", "[", "{", "=", "\\\n", "#", "&&", ";", "@", "://"])
    return st.lists(st.tuples(word, glue), max_size=14).map(lambda found: "".join(a + b for a, b in found))
