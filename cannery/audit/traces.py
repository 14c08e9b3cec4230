"""Traces of where and from what a file was made: paths of build machines, lines of source."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MOST_SHOWN", "build_paths", "has_source", "source_lines"]

MOST_SHOWN: Final = 3

_ROOTS: Final = (  # each path of a build begins with one: to look for them is quicker than to look for the pattern
    b"/home/",
    b"/Users/",
    b"/root/",
    b"/tmp/",
    b"/var/tmp/",
    b"/build",
    b"/github/",
    b"/__w/",
    b"/workspace/",
    b"/mnt/",
    b"/srv/",
    b"/opt/",
    b"/private/var/",
)
_BUILD: Final = re.compile(
    rb"(?<![\w.])/(?:(?:home|Users)/[\w.-]+/[\w./+-]+"
    rb"|(?:root|tmp|var/tmp|build|builds|private/var|github|__w|workspace|mnt|srv|opt/[\w.-]+)/[\w./+-]*"
    rb"\.(?:py|pyx|pxd|c|cc|cpp|cxx|h|hpp|rs|go|o|S)\b)"
)
_STATEMENTS: Final = re.compile(  # three lines in a row that no sentence has
    rb"(?:^|(?<=[\n\0]))(?:(?:(?:async )?def \w+\([^\n\0]*:|class \w+[^\n\0]*:|from [\w.]+ import [^\n\0]+"
    rb"|import [\w., ]+|@\w[^\n\0]*|    [^\n\0]*|#[^\n\0]*)?\n){3,}"
)
_DEFINITION: Final = re.compile(rb"^(?:async )?def |^class |^from |^import ", re.MULTILINE)


def build_paths(data: bytes) -> tuple[str, ...]:
    """The first paths in ``data`` of the machine that it was built on."""
    found: dict[str, None] = {}
    for root in _ROOTS:
        place = data.find(root)
        while place >= 0 and len(found) < MOST_SHOWN:
            match = _BUILD.match(data, place)
            if match is not None:
                found[match[0].decode("ascii", "replace")] = None
            place = data.find(root, match.end() if match else place + len(root))
    return tuple(found)[:MOST_SHOWN]


def has_source(data: bytes) -> bool:
    """True where ``data`` may have lines of Python's source: quicker than to look for them."""
    return b"\nimport " in data or b"\nfrom " in data


def source_lines(data: bytes) -> tuple[str, ...]:
    """The first line of each run of Python's statements."""
    runs = (match[0] for match in _STATEMENTS.finditer(data))
    lines = (run.lstrip(b"\n").partition(b"\n")[0] for run in runs if len(_DEFINITION.findall(run)) > 1)
    return tuple(line.decode("utf-8", "replace") for line in lines)[:MOST_SHOWN]
