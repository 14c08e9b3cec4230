"""The line that mends a difference, where what a program says of it is known."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.check.answer import ProgramAnswer
    from cannery.check.compare import Comparison

__all__ = ["advice"]

_WRITABLE: Final = "let it write to /tmp, or to a folder that is mounted:  [tool.cannery]  volumes"
_SOURCES: Final = "name the module whose source is read:  [tool.cannery]  keep-sources"
# What a program writes that lacks something -> what mends it; {} stands for the group of the expression.
_ADVICE: Final[Mapping[str, str]] = {
    r"No module named '([\w.]+)'": '[tool.cannery]  include = ["{}"]',
    r"cannot import name '\w+' from '([\w.]+)'": '[tool.cannery]  include = ["{}.*"]',
    r"unknown encoding: ([\w-]+)": '[tool.cannery]  include = ["encodings.*"]',
    r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object file": '[tool.cannery]  libraries = ["{}"]',
    r"could not get source code|source code not available": _SOURCES,
    r"No such file or directory: '(?:/app/)?([^'/]+)": '[tool.cannery]  resources = ["{}"]',
    r"Read-only file system: '([^']+)'": _WRITABLE,
    r"Permission denied: '([^']+)'": _WRITABLE,
    r"unable to open database file|attempt to write a readonly database": _WRITABLE,  # of SQLite
}
_STANDARD: Final = '[tool.cannery]  stdlib = ["{}"]'  # for modules that are left out by habit
_ELSE: Final = "run it as the image does (cannery run), and see what is left out (cannery imports, and --why NAME)"


def advice(comparison: Comparison) -> str:
    """The next step for a comparison in which something differs."""
    return "; ".join(dict.fromkeys((*_lacking(comparison), *_found(comparison)))) or _ELSE


def _lacking(comparison: Comparison) -> Iterator[str]:
    if programs := comparison.lacking:
        name = programs[0]
        yield (
            f"the environment's program starts {', '.join(programs)}, which the image does not have: build on a base "
            f'that has it (recipe = "slim"), or where it\'s a script of a dependency, name it:  [tool.cannery]  '
            f'commands = {{ {name} = "{name}" }}'
        )


def _found(comparison: Comparison) -> Iterator[str]:
    """What mends each lack that the image tells of and the environment doesn't."""
    image, environment = _said(comparison.image), _said(comparison.environment)
    for pattern, step in _ADVICE.items():
        known = {match[0] for match in re.finditer(pattern, environment)}
        for match in re.finditer(pattern, image):
            if match[0] not in known:
                yield _filled(step, "".join(match.groups()))


def _filled(step: str, name: str) -> str:
    top = name.partition(".")[0]
    if "include" in step and top in sys.stdlib_module_names and top != "encodings":
        return _STANDARD.format(top)
    return step.format(name)


def _said(answer: ProgramAnswer) -> str:
    """All that a program said, the messages of its imports among it."""
    bodies = (each.body for each in answer.responses)
    return "\n".join((answer.errors, answer.output, *(each.message for each in answer.imports.values()), *bodies))
