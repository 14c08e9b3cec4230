"""The Python and the shared libraries of an image that no package has, by what they tell of themselves."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cannery.bom.digests import digest_of_files
from cannery.bom.known_software import software
from cannery.bom.package_notes import is_packaged, purl_of_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cannery.bom.inventory import Item
    from cannery.bom.layer_contents import ContainedFile
    from cannery.bom.packages import SystemPackages

__all__ = ["libraries_in", "pythons_in"]

_SYSTEM: Final = re.compile(r"/(?:usr/)?(?:local/)?lib(?:32|64|x32)?/(?:[^/]+-linux-[^/]+/)?[^/]+")
_BUNDLED: Final = re.compile(r".*\.libs/[^/]+")  # auditwheel's folder for what a wheel brings along
_LIBRARY: Final = re.compile(r"(?P<name>(?:lib|ld-)[\w+-]*?[\w+])(?:-[0-9a-f]{8,})*\.so(?:\.(?P<version>[\d.]+))?")
_VERSIONED: Final = re.compile(r"(?P<name>[\w+-]*?[A-Za-z_+])-(?P<version>\d[\d.]*)")  # libstdc++-3, libpython3.11
_PYTHON: Final = "Python"


def pythons_in(files: Mapping[str, ContainedFile], packages: SystemPackages) -> Iterator[Item]:
    """Each Python whose interpreter is among ``files``."""
    for version, own in sorted(_told(files)[_PYTHON].items()):
        owner = next(filter(None, (packages.owner(file.path) for file in own)), None)
        found = software(
            _PYTHON,
            version,
            kind="interpreter",
            paths=tuple(file.path for file in own),
            digest=digest_of_files(own),
            origin=f"the package {owner}" if owner else "",
            packaged=owner is not None,
        )
        noted = [purl_of_note(note) for file in own for note in file.notes if note.version == version]
        yield replace(found, purl=noted[0]) if noted else found


def libraries_in(
    files: Mapping[str, ContainedFile], packages: SystemPackages, bundler: Callable[[str], str]
) -> Iterator[Item]:
    """The libraries among ``files`` that no package has, by name.

    ``bundler`` says which distribution a file is of, as ``numpy 2.3.0``; it's empty for none.
    """
    told = _told(files)
    told.pop(_PYTHON, None)
    named: set[str] = set()
    found: list[Item] = []
    for name, versions in told.items():
        for version, own in versions.items():
            left = [file for file in own if packages.owner(file.path) is None]
            named.update(file.path for file in left)
            found += _by_bundler(name, version, left, bundler)
    pythons = {file.path for file in files.values() if any(each[0] == _PYTHON for each in file.components)}
    for file in files.values():
        other = file.path not in named and file.path not in pythons and packages.owner(file.path) is None
        if file.elf and other and not is_packaged(file.notes) and (library := _named(file.path)):
            found += _by_bundler(*library, [file], bundler)
    yield from sorted(found, key=lambda item: (item.name, item.version, item.paths))


def _told(files: Mapping[str, ContainedFile]) -> defaultdict[str, dict[str, list[ContainedFile]]]:
    """What files tell of themselves: name, version, and the files that tell it."""
    found: defaultdict[str, dict[str, list[ContainedFile]]] = defaultdict(dict)
    for file in files.values():
        for name, version, _ in file.components:
            found[name].setdefault(version, []).append(file)
    return found


def _by_bundler(name: str, version: str, own: Iterable[ContainedFile], bundler: Callable[[str], str]) -> Iterator[Item]:
    """The library once for itself, and once for each distribution that brings it along."""
    by_owner: defaultdict[str, list[ContainedFile]] = defaultdict(list)
    for file in own:
        by_owner[bundler(file.path)].append(file)
    for owner, theirs in by_owner.items():
        yield software(
            name,
            version,
            paths=tuple(file.path for file in theirs),
            digest=digest_of_files(theirs),
            origin=f"bundled by {owner}" if owner else "",
        )


def _named(path: str) -> tuple[str, str] | None:
    """The name and the version in the name of a shared library; None for a file that is none."""
    found = _LIBRARY.fullmatch(posixpath.basename(path).removesuffix(".xz"))
    if found is None or not (_SYSTEM.fullmatch(path) or _BUNDLED.fullmatch(path)):
        return None
    name, version = found["name"], found["version"] or ""
    inside = _VERSIONED.fullmatch(name)
    return (inside["name"], inside["version"]) if inside and "." in inside["version"] else (name, version)
