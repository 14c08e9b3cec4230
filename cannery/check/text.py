"""Two texts that programs wrote, compared as people would: paths, and what changes from run to run, don't count."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Differing", "first_difference", "plain_errors", "plain_lines"]

# A path counts by its last name: where a program lies is another place in an image than in an environment.
_PATH: Final = re.compile(r"(?<![\w/:.<-])/(?:[\w.+@~-]+/)*(?=[\w.+@~-])")
_BYTECODE: Final = re.compile(r"\.pyc\b")
# UUIDs (RFC 9562, 4), whose groups need no digit; addresses of objects; digests; numbers, such as ports and times
_CHANGING: Final = re.compile(
    r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+|[0-9a-f]{8,}|[0-9a-f]*\d[0-9a-f]*)\b", re.IGNORECASE
)
_NOTHING: Final = "(nothing more)"


@dataclass(frozen=True, slots=True)
class Differing:
    """The first lines in which two texts differ, as they were written."""

    image: str
    environment: str


def plain_lines(text: str, names: Iterable[str] = ()) -> list[str]:
    """The lines of ``text`` as they are compared; ``names`` are those that the program goes by in one place only.

    Lines with nothing in them don't count, nor how wide the space between words is: what fills a line of usage depends
    on the program's name.
    """
    text = _BYTECODE.sub(".py", _PATH.sub("", text))
    for name in names:
        text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", "PROGRAM", text)
    return [line for each in text.splitlines() if (line := " ".join(each.split()))]


def plain_errors(text: str, names: Iterable[str] = ()) -> list[str]:
    """As :func:`plain_lines`, without the lines of source that tracebacks and warnings quote: an image has none."""
    kept = [line for line in text.splitlines() if not line.startswith("  ") or line.startswith('  File "')]
    return plain_lines("\n".join(kept), names)


def first_difference(
    image: Sequence[str], environment: Sequence[str], again: Callable[[], Sequence[str]]
) -> Differing | None:
    """The first lines that differ in the image's text; None where it says the same.

    ``again`` makes the environment's program say it once more, later than the image's: what changes between its two
    runs is not the image's. It's only asked where the first two texts differ.
    """
    if _words(image) == _words(environment):
        return None
    second = again()
    if list(environment) == list(second):
        return _unequal(image, environment)
    shapes = [_shape(line) for line in environment]
    if shapes == [_shape(line) for line in second]:
        return _unequal_but_for(image, environment, second)
    return _lacking(image, environment, second)


def _unequal(image: Sequence[str], environment: Sequence[str]) -> Differing | None:
    """The first lines at the same place that differ."""
    pairs = zip_longest(image, environment, fillvalue=_NOTHING)
    return next((Differing(one, other) for one, other in pairs if one != other), None)


def _unequal_but_for(image: Sequence[str], environment: Sequence[str], second: Sequence[str]) -> Differing | None:
    """As :func:`_unequal`, but numbers don't count in lines where they change by themselves."""
    changing = {number for number, (one, other) in enumerate(zip(environment, second, strict=True)) if one != other}
    for number, (one, other) in enumerate(zip_longest(image, environment, fillvalue=_NOTHING)):
        if one != other and not (number in changing and _shape(one) == _shape(other)):
            return Differing(one, other)
    return None


def _lacking(image: Sequence[str], environment: Sequence[str], second: Sequence[str]) -> Differing | None:
    """The first line that both runs have, wherever, and the image lacks: the others come and go by themselves."""
    both, has = {_shape(line) for line in second}, {_shape(line) for line in image}
    lacks = (line for line in environment if _shape(line) in both and _shape(line) not in has)
    return next((Differing(_NOTHING, line) for line in lacks), None)


def _shape(line: str) -> str:
    return _CHANGING.sub("#", line)


def _words(lines: Iterable[str]) -> list[str]:
    return " ".join(lines).split(" ")
