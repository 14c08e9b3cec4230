"""Every error that cannery raises: what happened, the evidence, the next step.

One exit code a class, so that a script can tell them apart:

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
130 interrupted
==  =========================================================
"""

from __future__ import annotations

import re
from typing import ClassVar

__all__ = [
    "MORE_MEMORY",
    "AuditError",
    "CanneryError",
    "ConfigurationError",
    "ImageError",
    "MachineError",
    "ProjectError",
    "RegistryError",
    "RequirementsError",
    "RuntimeTreeError",
    "ToolError",
]


MORE_MEMORY = "end other programs, or raise the limit (ulimit -v, that of the container), and build again"  # a step
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]+(?=@)")  # in URLs; never to be shown


class CanneryError(Exception):
    """Something that the user can act upon: ``what`` happened, the ``evidence``, the next ``step``."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, evidence: str = "", step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.evidence = evidence
        self.step = step

    def __str__(self) -> str:
        parts = [self.what]
        if self.evidence:
            parts += [f"  {line}" for line in self.evidence.rstrip().splitlines()]
        if self.step:
            parts.append(f"Next: {self.step}")
        return _CREDENTIALS.sub("****", "\n".join(parts))


class ConfigurationError(CanneryError):
    """A setting is unknown, of a wrong type, or asks for what is not there."""

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
