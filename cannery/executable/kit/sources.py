"""The sources of a kit: archives that are found here or fetched, and checked against their SHA-256."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import ToolError
from cannery.workspace.digest import Digest
from cannery.workspace.files import explained, user_path
from cannery.workspace.use import used

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from cannery.workspace.workspace import Workspace

__all__ = [
    "PatchSeries",
    "SourceArchive",
    "SourcePackage",
    "debian_packages",
    "known_libraries",
    "known_pythons",
    "locate",
    "unpack",
    "untried_pythons",
]

# No file of the package to code_key: a key holds the entries that it's about, so that another's doesn't change it.
_LIST: Final = Path(__file__).with_name("sources.toml")
_PATIENCE = 30  # seconds without an answer


@dataclass(frozen=True, slots=True)
class SourceArchive:
    """One published form of a source."""

    address: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.address.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class PatchSeries:
    """A distribution's fixes for a source; any one of its archives, which hold ``debian/patches``, will do."""

    name: str
    version: str  # of the source package: "3.13.5-2+deb13u5"
    archives: tuple[SourceArchive, ...]
    left_out: tuple[str, ...]  # patches that are not applied


@dataclass(frozen=True, slots=True)
class SourcePackage:
    """The source of a part of the kit; any one of its archives will do."""

    name: str
    version: str
    license: str  # the path of the licence in the archive; empty where the source is in the public domain
    changed: date  # when its newest fix was made
    archives: tuple[SourceArchive, ...]
    patches: PatchSeries | None = None

    @property
    def full_version(self) -> str:
        """The version with that of the patches: ``3.13.5-2+deb13u5``."""
        return self.patches.version if self.patches else self.version


def known_pythons() -> Mapping[str, SourcePackage]:
    """The sources of Python that kits are built from, by minor version, the oldest first."""
    listed = _listed()["python"]
    by_age = sorted(listed, key=lambda minor: tuple(map(int, minor.split("."))))
    return {minor: _package("Python", listed[minor]) for minor in by_age}


def known_libraries() -> Mapping[str, SourcePackage]:
    """The sources of libraries, by name."""
    return {name: _package(name, entry) for name, entry in _listed()["library"].items()}


def debian_packages() -> Mapping[str, str]:
    """Debian's source package of each of them, with its version: ``openssl=3.5.7-1~deb13u2``; by minor of Python."""
    listed = _listed()
    return {name: entry["debian"] for name, entry in {**listed["python"], **listed["library"]}.items()}


def untried_pythons() -> Mapping[str, str]:
    """The minor versions of Python whose kit was never built and tested, and why."""
    reasons: Mapping[str, str] = _listed()["untried"]
    return reasons


def _listed() -> dict[str, Any]:
    return tomllib.loads(_LIST.read_text(encoding="utf-8"))


def _package(name: str, entry: dict[str, Any]) -> SourcePackage:
    patches = entry.get("patches")
    return SourcePackage(
        name,
        entry["version"],
        entry["license"],
        entry["changed"],
        _archives(entry),
        PatchSeries(
            f"Debian's patches for {name}",
            entry["debian"].partition("=")[2],
            _archives(patches),
            tuple(patches["left-out"]),
        )
        if patches
        else None,
    )


def _archives(entry: dict[str, Any]) -> tuple[SourceArchive, ...]:
    return tuple(SourceArchive(**each) for each in entry["archives"])


def locate(source: SourcePackage | PatchSeries, workspace: Workspace) -> tuple[Path, SourceArchive]:
    """The path of an archive of ``source``: in ``CANNERY_SOURCES``, in the cache, or fetched into it now.

    Raises :class:`ToolError` where no archive can be had, or one has another SHA-256 than ``sources.toml`` says.
    """
    folder = os.environ.get("CANNERY_SOURCES")
    for archive in source.archives:
        if folder and (path := user_path(folder) / archive.name).is_file():
            _check(path, archive)
            return path, archive
    for archive in source.archives:
        if used(path := workspace.cache.blob(Digest(archive.sha256))):
            if _sha256(path) == archive.sha256:
                return path, archive
            workspace.progress(f"{path} of the cache is damaged: fetching it anew")
            workspace.cache.remove(path)
    return _fetch(source, folder, workspace)


def unpack(path: Path, folder: Path) -> Path:
    """Unpack the archive ``path`` below ``folder``; returns the one folder that is in it."""
    with explained(folder), tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


def _check(path: Path, archive: SourceArchive) -> None:
    if (found := _sha256(path)) != archive.sha256:
        raise ToolError(
            f"{path} is not the archive that it should be",
            evidence=f"SHA-256 {found}, not {archive.sha256}",
            step=f"replace it with {archive.address}",
        )


def _sha256(path: Path) -> str:
    with explained(path, "read"), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fetch(source: SourcePackage | PatchSeries, folder: str | None, workspace: Workspace) -> tuple[Path, SourceArchive]:
    failures: list[str] = []
    for archive in source.archives:
        workspace.progress(f"fetching {archive.name}")
        try:
            return _download(archive, workspace), archive
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            failures.append(f"{archive.address}: {getattr(error, 'reason', error)}")
    names = " or ".join(dict.fromkeys(archive.name for archive in source.archives))
    raise ToolError(
        f"the source of {source.name} {source.version} can't be had",
        evidence="\n".join([*failures, f"CANNERY_SOURCES is {folder or 'not set'}"]),
        step=f"put {names} into a folder, and name that in CANNERY_SOURCES",
    )


def _download(archive: SourceArchive, workspace: Workspace) -> Path:
    with (
        urllib.request.urlopen(archive.address, timeout=_PATIENCE) as answer,  # noqa: S310  # https and http only
        workspace.cache.new_blob() as (stream, commit),
    ):
        shutil.copyfileobj(answer, stream)
        stream.flush()
        _check(Path(stream.name), archive)
        return commit(Digest(archive.sha256))
