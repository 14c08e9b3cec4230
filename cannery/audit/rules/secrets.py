"""CAN3xx: secrets, those among them that a later layer deletes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cannery.audit.finding import Finding, Rule, Severity
from cannery.audit.tokens import named_like_a_secret, token_in
from cannery.project.secrets import holds_password, secret_by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.audit.contents import ImageContents

__all__ = ["RULES", "check"]

_ROTATE = "leave it out, and replace it by a new one: whoever has the image has it"
BY_NAME = Rule("CAN301", Severity.CRITICAL, "a file whose name says that it holds secrets", _ROTATE)
BY_CONTENT = Rule("CAN302", Severity.CRITICAL, "a secret in a file", _ROTATE)
VARIABLE = Rule(
    "CAN303", Severity.HIGH, "a variable that holds a secret", "hand it over when the container starts, and replace it"
)
HISTORY = Rule(
    "CAN304", Severity.HIGH, "a secret in the image's history", "use the builder's secret mounts, and replace it"
)
OF_OTHERS = Rule(
    "CAN305",
    Severity.LOW,
    "what looks like a secret in a dependency or a library",
    "see that it belongs to its own tests",
)
RULES = (BY_NAME, BY_CONTENT, VARIABLE, HISTORY, OF_OTHERS)

_ASSIGNED = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)=(\S+)")


def check(contents: ImageContents) -> Iterator[Finding]:
    """Secrets in files of every layer, in variables and in the history; none of them is shown."""
    for place in contents.files():
        path, kind = place.node.path, place.node.facts.secret
        others = _of_others(path) and not contents.own(path)
        if kind:
            yield Finding(OF_OTHERS if others else BY_CONTENT, kind, path, place.layer, place.hidden)
        elif place.node.size and (kind := secret_by_name(path.lstrip("/"))):
            yield Finding(OF_OTHERS if others else BY_NAME, kind, path, place.layer, place.hidden)
    for name, value in contents.environment.items():
        if named_like_a_secret(name, value):
            yield Finding(VARIABLE, f"{name} is set")
        elif kind := _kind(value):
            yield Finding(VARIABLE, f"{name} holds {kind}")
    for number, step in enumerate(contents.config.get("history") or ()):
        if what := _in_command(str(step.get("created_by") or "")):
            yield Finding(HISTORY, f"step {number + 1} of the build: {what}")


def _of_others(path: str) -> bool:
    """True for a dependency's file and for a shared library: GnuTLS has keys in it that it tests itself with."""
    return "-packages/" in path or re.search(r"\.so(\.\d+)*$", path) is not None


def _in_command(command: str) -> str:
    named = [name for name, value in _ASSIGNED.findall(command) if named_like_a_secret(name, value)]
    return f"{named[0]} is given" if named else _kind(command)


def _kind(text: str) -> str:
    return token_in(text.encode()) or ("a URL with a password" if holds_password(text.encode()) else "")
