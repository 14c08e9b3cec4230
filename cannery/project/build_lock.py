"""``cannery.lock``: what a build takes besides wheels, in exact versions, so that any machine makes the same image."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cannery.errors import ConfigurationError
from cannery.project.app import LOCK_FILE
from cannery.workspace.files import explained, replacing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["LOCK_VERSION", "BuildLock", "LockedBase", "LockedPackage", "LockedRuntime", "read_lock", "write_lock"]

LOCK_VERSION: Final = 1
_HEADER: Final = (
    "# What `cannery image` takes besides the wheels. Written by `cannery lock`; to be committed, not to be edited.\n"
)


class LockedPackage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A package of a distribution."""

    name: str
    version: str
    source: str  # the name of the package that it was built from
    archive: str  # the name of the archive that has it, as the setting mirrors has it
    path: str  # of the file in the archive
    sha256: str  # of the file
    size: int  # of the file, in bytes


class LockedRuntime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Python out of a distribution's packages."""

    runtime: str  # "debian:trixie"
    platform: str  # "linux/amd64"
    asked: str  # a digest of what the settings asked for besides
    python: str  # "python3.13"
    date: str  # when the archives had all of the packages: "20261127T093000Z"
    packages: tuple[LockedPackage, ...]


class LockedBase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An image in a registry, by its digest: a base, or where a Python comes from."""

    name: str  # "python:3.13-slim"
    digest: str  # of the index, or of the one manifest


class BuildLock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is locked."""

    version: int
    tools: dict[str, str] = {}  # distributions on the machine that decide about bytes: their versions
    zlib: str = ""  # a digest of what the machine's zlib makes of a sample
    runtime: tuple[LockedRuntime, ...] = ()
    base: tuple[LockedBase, ...] = ()

    def runtime_for(self, name: str, platform: str, asked: str) -> LockedRuntime | None:
        """The Python of the runtime ``name`` for ``platform``; None where it, or what was ``asked``, isn't locked."""
        wanted = (name, platform, asked)
        return next((each for each in self.runtime if (each.runtime, each.platform, each.asked) == wanted), None)

    def digest_of(self, base: str) -> str | None:
        """The digest of an image in a registry; None where it isn't locked."""
        return next((each.digest for each in self.base if each.name == base), None)


def read_lock(folder: Path) -> BuildLock | None:
    """The lock of the project in ``folder``; None where it has none.

    Raises :class:`ConfigurationError` for one that can't be read.
    """
    path = folder / LOCK_FILE
    if not path.is_file():
        return None
    try:
        with explained(path, "read"):
            lock = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), BuildLock)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no lock of cannery's", evidence=str(error), step="cannery lock") from error
    if lock.version != LOCK_VERSION:
        raise ConfigurationError(
            f"{path} has version {lock.version}, and this cannery reads version {LOCK_VERSION}",
            step="cannery lock, or take the cannery that wrote it",
        )
    return lock


def write_lock(folder: Path, lock: BuildLock) -> Path:
    """Write ``lock`` to the project in ``folder``, and return the file's path."""
    path = folder / LOCK_FILE
    with replacing(path) as stream:
        stream.write("".join(_lines(lock)).encode())
    return path


def _lines(lock: BuildLock) -> Iterator[str]:
    """The lock as TOML: a package a line, so that changes are read line by line."""
    yield _HEADER
    yield f"version = {lock.version}\nzlib = {json.dumps(lock.zlib)}\n"
    yield f"tools = {_inline(lock.tools)}\n"
    for runtime in lock.runtime:
        yield "\n[[runtime]]\n"
        named = {key: getattr(runtime, key) for key in ("runtime", "platform", "asked", "python", "date")}
        yield from (f"{key} = {json.dumps(value)}\n" for key, value in named.items())
        yield "packages = [\n"
        yield from (f"  {_inline(msgspec.structs.asdict(each))},\n" for each in runtime.packages)
        yield "]\n"
    for base in lock.base:
        yield f"\n[[base]]\nname = {json.dumps(base.name)}\ndigest = {json.dumps(base.digest)}\n"


def _inline(table: Mapping[str, Any]) -> str:
    """A table on one line; texts are ASCII, which TOML spells as JSON does."""
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in table.items()) + " }" if table else "{}"
