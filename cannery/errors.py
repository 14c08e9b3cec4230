"""Every error that cannery raises: what happened, the evidence, the next step.

Each class has an exit code of its own, by which a script can tell them apart:

==  =========================================================
2   the configuration is wrong
3   the project is not as it should be
4   a requirement cannot be resolved or installed
5   the runtime cannot be put together
6   the machine refuses: disk, permissions, namespaces
7   a program that cannery calls is missing or failed
8   the image cannot be packed, read or written
9   an image does not pass its audit
10  a registry can't be reached, refuses, or does not have the image
11  an image behaves differently from a virtual environment
12  a program fails both in its image and in a virtual environment
13  an image takes more bytes than it may
14  two images are not the same
15  what an image is can't be proven: no valid signature, no statement, or another build
130 interrupted
==  =========================================================
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "MORE_MEMORY",
    "AuditError",
    "CanneryError",
    "ConfigurationError",
    "DifferenceError",
    "ImageError",
    "MachineError",
    "OtherImageError",
    "ProgramError",
    "ProjectError",
    "RegistryError",
    "RequirementsError",
    "RuntimeTreeError",
    "SizeError",
    "ToolError",
    "UnprovenError",
    "did_you_mean",
]

# The next step where memory is short
MORE_MEMORY = "end other programs, or raise the limit (ulimit -v, that of the container), and build again"
_LONGEST = 2000  # characters of a line that are shown
_LINES = 200  # of an evidence
_CREDENTIALS = r"(?<=://)[^/\s]+(?=@)"  # of URLs (RFC 3986, 3.2.1), which no message shows


class CanneryError(Exception):
    """An error that the user can act upon.

    ``what`` happened is one clause; the ``evidence``, if there is any, has lines; the ``step`` is what to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, evidence: str = "", step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.evidence = evidence
        self.step = step

    def __str__(self) -> str:
        parts = [_short(self.what)]
        if self.evidence:
            lines = self.evidence.rstrip().splitlines()
            parts += [f"  {_short(line)}" for line in lines[:_LINES]]
            parts += [f"  … and {len(lines) - _LINES:,} lines more"] if len(lines) > _LINES else []
        if self.step:
            parts.append(f"Next: {self.step}")
        return re.sub(_CREDENTIALS, "****", "\n".join(parts))


class ConfigurationError(CanneryError):
    """A setting is unknown, has a wrong value, or names something that does not exist."""

    exit_code = 2


class ProjectError(CanneryError):
    """The project's own files cannot go into an image as they are."""

    exit_code = 3


class RequirementsError(CanneryError):
    """The requirements cannot be resolved or installed."""

    exit_code = 4


class RuntimeTreeError(CanneryError):
    """The interpreter or a shared library cannot be put into the image."""

    exit_code = 5


class MachineError(CanneryError):
    """The machine refuses: no space, no permission, no namespaces."""

    exit_code = 6


class ToolError(CanneryError):
    """A program that cannery calls is missing, or failed."""

    exit_code = 7


class ImageError(CanneryError):
    """A layer or an image cannot be packed, read or written."""

    exit_code = 8


class AuditError(CanneryError):
    """An image has findings that it must not have."""

    exit_code = 9


class RegistryError(CanneryError):
    """A registry can't be reached, refuses, or does not have what it's asked for."""

    exit_code = 10


class DifferenceError(CanneryError):
    """The program of an image does something otherwise than in a virtual environment."""

    exit_code = 11


class ProgramError(CanneryError):
    """A program fails, in its image and in a virtual environment alike."""

    exit_code = 12


class SizeError(CanneryError):
    """An image takes more bytes than its budget, or has grown by more than it may."""

    exit_code = 13


class OtherImageError(CanneryError):
    """Two images are not the same."""

    exit_code = 14


class UnprovenError(CanneryError):
    """An image isn't shown to be what it's said to be: a signature, a statement or the build that it names fails."""

    exit_code = 15


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The question ``did you mean 'strip'?`` for a misspelt ``word``; empty where no choice is near."""
    import difflib  # noqa: PLC0415  # needed for errors alone

    near = difflib.get_close_matches(word, list(choices), n=1)
    return f"did you mean {near[0]!r}?" if near else ""
