"""An app's requirements, in a form that uv installs; and how they are asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from cannery.project.trimmed_wheels import TELLING, refuse_trimmed
from cannery.project.uv_errors import explain
from cannery.workspace.keys import key_of
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from cannery.project.app import RequirementsFile
    from cannery.workspace.workspace import Workspace

__all__ = [
    "Reading",
    "Requirements",
    "Wanted",
    "contents_of",
    "each",
    "uv",
    "with_credentials",
    "without_credentials",
]


class Requirements(msgspec.Struct, frozen=True):
    """Requirements in a form that ``uv pip install`` takes."""

    source: Path  # the lock or the file that they were read from
    text: str
    form: Literal["pylock", "requirements"]  # of the text: PEP 751, or lines as in pip's requirements files
    locked: bool  # the source names one version of each
    universal: bool  # each has all its files, for any platform, and not those alone that fit the target
    hashed: bool  # each has a hash
    complete: bool = True  # nothing that is required is missing, so uv need not look
    options: tuple[str, ...] = ()  # of uv: indexes, extras and groups
    notes: tuple[str, ...] = ()  # for the user

    @property
    def key(self) -> str:
        """A name for all that decides about what is installed."""
        return key_of(self.text, self.form, self.hashed, self.complete, self.options)


class Wanted(msgspec.Struct, frozen=True):
    """What is asked of a file of requirements, and for which Python."""

    file: RequirementsFile
    folder: Path  # the project's
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    python: Path  # of this machine
    target: tuple[str, ...]  # options of uv, where the requirements are for another Python
    workspace: Workspace


class Reading(msgspec.Struct, frozen=True):
    """A file of requirements as it was found, before anybody is asked what it comes to."""

    key: list[object] | None  # all that decides about the answer; None where the answer costs nothing
    ask: Callable[[], Requirements]
    options: tuple[str, ...] = ()  # of uv, for resolving and for installing: may have passwords
    secrets: str = ""  # a text with all addresses that may have passwords


def uv(
    wanted: Wanted,
    *arguments: str,
    step: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> str:
    """Run uv in the project's folder, or in ``cwd``, and return its output; raises as :func:`explain` says."""
    env = {"UV_PYTHON_DOWNLOADS": "never", **TELLING, **(env or {})}  # no lock needs one to be read
    name = wanted.file.path.name
    try:
        done = wanted.workspace.run([find_uv(), *arguments], cwd=cwd or wanted.folder, env=env, stdin=stdin)
    except ProgramFailed as error:
        raise explain(error, f"cannot tell the requirements from {name}", step) from error
    refuse_trimmed(done, name, _LOCKED.findall(done.stdout), wanted.workspace)
    return done.stdout


def each(option: str, values: Iterable[str]) -> tuple[str, ...]:
    """``option`` with each of ``values``: ``--extra=a --extra=b``."""
    return tuple(f"{option}={value}" for value in values)


def contents_of(*paths: Path) -> list[object]:
    """What decides in the key of a reading: the contents of the files at ``paths``, absent ones among them."""
    return [path.read_bytes().hex() if path.is_file() else None for path in sorted(set(paths))]


_LOCKED = re.compile(r'^name = "([^"]+)"', re.MULTILINE)  # of a distribution, in a lock (PEP 751)
_ADDRESS = re.compile(r"(?<=://)([^/\s\"']+)@([^/\s\"'?#]+)")  # credentials and host (RFC 3986, 3.2)
_HOST = re.compile(r"(?<=://)([^/\s\"'?#@]+)(?=[/?#\"'\s]|$)")


def without_credentials(text: str) -> str:
    """``text`` whose addresses have no user and no password."""
    return _ADDRESS.sub(r"\2", text)


def with_credentials(text: str, secrets: str) -> str:
    """``text`` with the users and passwords that the addresses in ``secrets`` have, for the same hosts."""
    known = {host: credentials for credentials, host in _ADDRESS.findall(secrets)}
    return _HOST.sub(lambda match: f"{known[match[1]]}@{match[1]}" if match[1] in known else match[1], text)
