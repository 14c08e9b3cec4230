"""CAN5xx: programs that help whoever got in."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from cannery.audit.finding import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.audit.contents import ImageContents

__all__ = ["RULES", "check"]

_SCRATCH = 'build it with  [tool.cannery]  recipe = "scratch"'
SHELL = Rule("CAN501", Severity.MEDIUM, "a shell", _SCRATCH)
MANAGER = Rule("CAN502", Severity.MEDIUM, "a package manager", _SCRATCH)
TOOLS = Rule(
    "CAN503", Severity.MEDIUM, "a compiler or a debugger", "build in one stage, and copy the result to another"
)
RULES = (SHELL, MANAGER, TOOLS)

_NAMES = {
    SHELL: re.compile(r"(?:ba|da|k|z|c|tc|fi|a)?sh|busybox|toybox|pwsh"),
    MANAGER: re.compile(
        r"apt(?:-get)?|dpkg|apk|yum|dnf|microdnf|tdnf|rpm|zypper|pacman|pip[\d.]*|uv|conda|mamba|micromamba|poetry|npm"
    ),
    TOOLS: re.compile(r"(?:[\w-]+-)?(?:gcc|g\+\+|cc|c\+\+|clang|ld|as|gdb)(?:-[\d.]+)?|strace|make"),
}
_FOLDERS = re.compile(r"(?:/usr|/usr/local|/opt/[^/]+|/app/\.?venv|/venv|/busybox|/root/\.local)?/s?bin|/busybox")


def check(contents: ImageContents) -> Iterator[Finding]:
    """Programs of those names in folders of programs; a link is no finding, so that each program is one."""
    for path, place in sorted(contents.visible.items()):
        folder, name = posixpath.split(path)
        if place.node.kind == "folder" or not _FOLDERS.fullmatch(folder):
            continue
        if place.node.kind == "link" or not place.node.mode & 0o111:
            continue  # a link's target is found under its own name, or isn't there
        for rule, names in _NAMES.items():
            if names.fullmatch(name):
                yield Finding(rule, name, path, place.layer)
