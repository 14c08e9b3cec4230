"""CAN4xx: files that lend rights, or that anybody may change."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from cannery.audit.finding import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.audit.contents import ImageContents, Node

__all__ = ["RULES", "check"]

SETUID = Rule(
    "CAN401", Severity.MEDIUM, "a program that runs with its owner's rights", "chmod u-s,g-s, or leave it out"
)
FOLDER = Rule("CAN402", Severity.MEDIUM, "a folder that anybody may write to and delete in", "chmod o-w, or chmod +t")
FILE = Rule("CAN403", Severity.MEDIUM, "a file that anybody may write to", "chmod o-w")
OWN = Rule("CAN404", Severity.LOW, "code that the program itself may change", "let root own it: COPY without --chown")
CAPABILITIES = Rule("CAN405", Severity.HIGH, "a program with capabilities", "setcap -r, or leave it out")
RULES = (SETUID, FOLDER, FILE, OWN, CAPABILITIES)

_CODE = (".py", ".pyc", ".so")


def check(contents: ImageContents) -> Iterator[Finding]:
    """Such files among those that a container sees: one that a later layer hides harms nobody."""
    user = contents.user
    for path, place in sorted(contents.visible.items()):
        node = place.node
        for rule, message in _of(node):
            yield Finding(rule, message, path, place.layer)
        if user.isdigit() and int(user) and node.uid == int(user) and path.endswith(_CODE) and contents.own(path):
            yield Finding(OWN, f"it belongs to user {user}", path, place.layer)


def _of(node: Node) -> Iterator[tuple[Rule, str]]:
    shown = f"mode {node.mode:04o}, owner {node.uid}:{node.gid}"
    if node.kind == "file" and node.mode & (stat.S_ISUID | stat.S_ISGID) and node.mode & 0o111:
        yield SETUID, shown
    if node.kind == "folder" and node.mode & stat.S_IWOTH and not node.mode & stat.S_ISVTX:
        yield FOLDER, shown
    if node.kind == "file" and node.mode & stat.S_IWOTH:
        yield FILE, shown
    if node.capabilities:
        yield CAPABILITIES, shown
