"""The packages of a suite by its signed lists, and what a package needs (Debian Policy, chapters 5 and 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.errors import RuntimeTreeError, did_you_mean
from cannery.image.decompression import compression_of, undamaged, unzipped
from cannery.python.distribution.download import AbsentFileError, fetched
from cannery.python.distribution.release import signed_release

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from cannery.python.distribution.release import Release
    from cannery.python.distribution.suites import Pocket, Suite
    from cannery.workspace.workspace import Workspace

__all__ = ["Package", "PackageIndex", "closure", "read_index"]

_NAME: Final = re.compile(r"^Package: *(\S+)$", re.MULTILINE)
_PROVIDED: Final = re.compile(r"^Provides: *(.+)$", re.MULTILINE)
_FIELD: Final = re.compile(r"^([A-Za-z0-9-]+): *(.*)$", re.MULTILINE)
_RELATION: Final = re.compile(r"\s*([a-z0-9][a-z0-9+.-]*)")  # the name; versions agree within one suite
_LISTS: Final = ("Packages.xz", "Packages.gz")
# Packages that others name for the sake of scripts which run when they're installed: none is run here.
_FOR_SCRIPTS: Final = frozenset({"debconf", "debconf-2.0", "dpkg", "awk"})


@dataclass(frozen=True, slots=True)
class Package:
    """A package of one suite and one architecture."""

    name: str
    version: str
    source: str  # the name of the package that it was built from
    archive: str  # the name of the archive that has it
    path: str  # of the .deb file in the archive
    sha256: str
    size: int  # of that file, in bytes


@dataclass(frozen=True, slots=True)
class PackageIndex:
    """The packages that a suite has for an architecture, the newest version of each in any of its pockets."""

    suite: str
    stanzas: Mapping[str, tuple[str, str]]  # name -> the archive's name and the package's paragraph
    provided: Mapping[str, str]  # virtual package -> the first that provides it
    date: datetime  # when the newest of its lists was made

    def package(self, name: str) -> Package | None:
        """The package called ``name``, or the first that provides it; None where there is none."""
        known = self.stanzas.get(name) or self.stanzas.get(self.provided.get(name, ""))
        return None if known is None else _package(*known)

    def needs(self, package: Package) -> tuple[tuple[str, ...], ...]:
        """What ``package`` depends on: groups of names, of which one has to be there."""
        fields = _fields(self.stanzas[package.name][1])
        return (*_names(fields.get("Pre-Depends", "")), *_names(fields.get("Depends", "")))


def read_index(suite: Suite, architecture: str, mirrors: Mapping[str, str], workspace: Workspace) -> PackageIndex:
    """The packages of ``suite``; ``mirrors`` are addresses to take in place of archives.

    Raises :class:`RuntimeTreeError` where the suite isn't there, isn't signed, or has nothing for ``architecture``.
    """
    stanzas: dict[str, tuple[str, str]] = {}
    releases = list(_releases(suite, architecture, mirrors, workspace))
    for release in releases:
        for text in _lists(release, architecture, workspace):
            _merge(text, release.pocket.archive, stanzas)
    provided: dict[str, str] = {}
    for name, (_, stanza) in stanzas.items():
        for listed in _PROVIDED.findall(stanza):
            for virtual in _names(listed):
                provided.setdefault(virtual[0], name)
    return PackageIndex(str(suite), stanzas, provided, max(each.date for each in releases))


def closure(index: PackageIndex, names: Iterable[str]) -> list[Package]:
    """The packages called ``names`` and all that they depend on, ordered by name.

    Raises :class:`RuntimeTreeError` for a name that the suite doesn't have.
    """
    found: dict[str, Package] = {}
    pending: list[tuple[tuple[str, ...], str]] = [((name,), "") for name in names]
    while pending:
        group, by = pending.pop()
        package = next(filter(None, map(index.package, group)), None)
        if package is None:
            raise _missing(index, group, by)
        if package.name not in found:
            found[package.name] = package
            needed = (each for each in index.needs(package) if not _FOR_SCRIPTS.intersection(each))
            pending += ((each, package.name) for each in needed)
    return [found[name] for name in sorted(found)]


def _releases(suite: Suite, architecture: str, mirrors: Mapping[str, str], workspace: Workspace) -> Iterator[Release]:
    """The suite's signed lists; pockets besides the first need not be there, as before a release has any updates."""
    first, *others = suite.distribution.pockets(suite.name, architecture, mirrors)
    workspace.progress(f"looking through the packages of {suite}")
    try:
        yield signed_release(first, suite.distribution.keyring)
    except AbsentFileError as error:
        close = did_you_mean(suite.name, suite.distribution.pythons.values())
        hint = f" ({close})" if close else ""
        raise RuntimeTreeError(
            f"there is no suite {suite}",
            evidence=error.what,
            step=f"correct the name{hint}; or, for a suite that has ended and lies in another archive, name that with  "
            "[tool.cannery]  mirrors",
        ) from error
    for pocket in others:
        try:
            yield signed_release(pocket, suite.distribution.keyring)
        except AbsentFileError:
            workspace.progress(f"{suite} has no {pocket.name}")


def _lists(release: Release, architecture: str, workspace: Workspace) -> Iterator[str]:
    """The texts of the release's lists of packages for an architecture, one for each component."""
    pocket = release.pocket
    for component in pocket.components:
        paths = [f"{component}/binary-{architecture}/{name}" for name in _LISTS]
        path = next((path for path in paths if path in release.lists), None)
        if path is None:
            raise RuntimeTreeError(
                f"{pocket.name} has no packages for {architecture}",
                evidence=f"{pocket.address}/dists/{pocket.name}/InRelease lists none of {', '.join(paths)}",
                step="take another platform, or another runtime",
            )
        yield _text(pocket, path, *release.lists[path], workspace)


def _text(pocket: Pocket, path: str, sha256: str, size: int, workspace: Workspace) -> str:
    folder = path.rpartition("/")[0]
    # By its hash (DebianRepository/Format, Acquire-By-Hash): an archive may change between two requests.
    address = f"{pocket.address}/dists/{pocket.name}/{folder}/by-hash/SHA256/{sha256}"
    blob = fetched(address, sha256, size, workspace)
    with undamaged("a list of packages", address), blob.open("rb") as file:
        compression = compression_of(file.read(6))
        file.seek(0)
        return unzipped(file, compression).read().decode("utf-8", "replace")


def _merge(text: str, archive: str, stanzas: dict[str, tuple[str, str]]) -> None:
    """Add the paragraphs of a list to ``stanzas``, less those that an earlier list has in a later version."""
    for stanza in text.split("\n\n"):
        if match := _NAME.search(stanza):
            known = stanzas.get(match[1])
            if known is None or _is_later(stanza, known[1]):
                stanzas[match[1]] = archive, stanza


def _is_later(one: str, other: str) -> bool:
    from debian.debian_support import NativeVersion  # noqa: PLC0415  # an extra

    return bool(NativeVersion(_fields(one)["Version"]) > NativeVersion(_fields(other)["Version"]))


def _fields(stanza: str) -> dict[str, str]:
    return dict(_FIELD.findall(stanza))


def _package(archive: str, stanza: str) -> Package:
    fields = _fields(stanza)
    source = fields.get("Source", fields["Package"]).partition(" ")[0]
    return Package(
        fields["Package"], fields["Version"], source, archive, fields["Filename"], fields["SHA256"], int(fields["Size"])
    )


def _names(relations: str) -> tuple[tuple[str, ...], ...]:
    """The names in a field of relations: groups that a comma parts, of alternatives that a bar parts."""
    groups = (
        tuple(match[1] for each in group.split("|") if (match := _RELATION.match(each)))
        for group in relations.split(",")
    )
    return tuple(group for group in groups if group)


def _missing(index: PackageIndex, group: Sequence[str], by: str) -> RuntimeTreeError:
    return RuntimeTreeError(
        f"{index.suite} has no package {' or '.join(group)}",
        evidence=f"{by} depends on it" if by else did_you_mean(group[0], index.stanzas),
        step="take another suite, or correct the name" if not by else "take another suite",
    )
