"""The help of a command, as wide as the terminal: what it does, and its options by the names of what they take."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["columns", "option", "paragraphs", "usage"]

_WIDEST: Final = 100  # columns: longer lines are hard to read
_VALUE: Final = re.compile(r"^--([\w-]+)(\[?=)(?:STRING|INT)")  # as Invoke writes a flag that takes a value


def usage(binary: str, name: str, positional: Sequence[str], *, words: str) -> str:
    """The line that says how the command is typed; ``words`` says what may follow ``--``, if anything may."""
    parts = [binary, name, *(each.upper() for each in positional), "[--OPTIONS]", *([f"[-- {words}]"] if words else [])]
    return f"Usage: {' '.join(parts)}"


def paragraphs(text: str, width: int) -> str:
    """``text`` with lines of at most ``width`` columns; what is indented stays as it is."""
    width = max(20, min(width, _WIDEST))
    return "\n\n".join(_wrapped(part, width) for part in re.split(r"\n\s*\n", text.strip("\n")))


def _wrapped(part: str, width: int) -> str:
    if part.startswith(" "):
        return part
    return textwrap.fill(" ".join(part.split()), width, break_long_words=False, break_on_hyphens=False)


def option(spec: str) -> str:
    """An option with the name of what it takes: ``--recipe=RECIPE`` for ``--recipe=STRING``."""
    return _VALUE.sub(lambda found: f"--{found[1]}{found[2]}{found[1].upper()}", spec)


def columns(rows: Sequence[tuple[str, str]], width: int) -> str:
    """Names, with their explanations beside them; no word is broken that fits into a line: values can be copied."""
    longest = max(len(name) for name, _ in rows)
    return "\n".join(_row(f"  {name:{longest}}   ", words, width) for name, words in rows)


def _row(name: str, words: str, width: int) -> str:
    following = " " * len(name)
    lines = textwrap.wrap(words, width - 1, initial_indent=name, subsequent_indent=following, break_on_hyphens=False)
    return "\n".join(lines) or name.rstrip()
