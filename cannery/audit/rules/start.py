"""CAN6xx: how the image starts, and as whom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cannery.audit.finding import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.audit.contents import ImageContents

__all__ = ["RULES", "check", "is_root"]

ROOT = Rule("CAN601", Severity.HIGH, "it runs as root", "set  [tool.cannery]  user, or USER 65535:65535")
NAMED = Rule("CAN602", Severity.MEDIUM, "its user is a name", "give a number: a check for root can't judge a name")
NOTHING = Rule("CAN603", Severity.MEDIUM, "nothing to start", "set the entry point: ENTRYPOINT [...]")
THROUGH_SHELL = Rule(
    "CAN604", Severity.LOW, "it starts through a shell", 'write the entry point as a list: ENTRYPOINT ["program"]'
)
SEARCH = Rule(
    "CAN605",
    Severity.MEDIUM,
    "code is loaded from a folder that others may write to",
    "name folders that only root may write to",
)
UNPACKS = Rule(
    "CAN606",
    Severity.LOW,
    "it unpacks itself when it starts",
    "give it a /tmp that allows execution (docker run --tmpfs /tmp:exec), or choose another recipe",
)
RULES = (ROOT, NAMED, NOTHING, THROUGH_SHELL, SEARCH, UNPACKS)

_SEARCHES = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
_ANYBODYS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  # the image's
_NUMBER = re.compile(r"[+-]?[0-9]+")  # as engines read one (Go's strconv.Atoi)
_SHELLS = ("/bin/sh", "/bin/bash", "sh", "bash")


def check(contents: ImageContents) -> Iterator[Finding]:
    """Faults in the user, the program that starts, the search paths and programs that unpack themselves."""
    user = contents.user
    accounts = contents.visible.get("/etc/passwd")
    if is_root(user) or user in {"root", *(accounts.node.facts.superusers if accounts else ())}:
        yield Finding(ROOT, f"user {user or 'is not given'}")
    elif not _NUMBER.fullmatch(user):
        yield Finding(NAMED, f"user {user}")
    command = contents.command
    if not command:
        yield Finding(NOTHING, "neither an entry point nor a command is given")
    elif command[0] in _SHELLS and command[1:2] == ("-c",):
        yield Finding(THROUGH_SHELL, f"{command[0]} -c: signals reach the shell, not the program")
    yield from _searches(contents)
    for path, place in sorted(contents.visible.items()):
        elf = place.node.facts.elf
        if elf and contents.own(path) and ("PyInstaller" in elf.carries or "staticx" in elf.carries):
            yield Finding(UNPACKS, "into /tmp, which is often mounted noexec", path, place.layer)


def is_root(user: str) -> bool:
    """True for no user, and for 0 in any form that engines read as that number."""
    return not user or (_NUMBER.fullmatch(user) is not None and int(user) == 0)


def _searches(contents: ImageContents) -> Iterator[Finding]:
    for name in _SEARCHES:
        for folder in contents.environment.get(name, "").split(":") if contents.environment.get(name) else ():
            if not folder.startswith("/"):
                yield Finding(SEARCH, f"{name} has {folder or 'an empty entry'}: the working directory, whatever it is")
            elif folder.startswith(_ANYBODYS):
                yield Finding(SEARCH, f"{name} has {folder}")
    if preloaded := contents.environment.get("LD_PRELOAD"):
        yield Finding(SEARCH, f"LD_PRELOAD={preloaded} goes into every program")
