"""The Python distributions of an image: what their metadata say, which files are theirs, which modules are absent."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from email.parser import HeaderParser
from functools import cached_property
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

from cannery.bom.bundled import bundled_in, still_there
from cannery.bom.digests import archive_of, digest_of_files
from cannery.bom.inventory import Item
from cannery.bom.licences import licence_of
from cannery.bom.purls import purl_of
from cannery.imports.places import module_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cannery.bom.layer_contents import ContainedFile

__all__ = [
    "DistributionMetadata",
    "InstalledDistribution",
    "distributions_in",
    "modules_left_out",
    "read_metadata",
    "recorded_paths",
]

_INFO: Final = re.compile(r"(?P<site>/(?:.*/)?)(?P<folder>[^/]+\.(?:dist|egg)-info)(?:/(?P<name>METADATA|PKG-INFO))?")
_ARCHIVE: Final = re.compile(r"^[^/]+\.zip/")  # that a module lies in
_CACHED: Final = re.compile(r"__pycache__/(?P<name>[^/]+)\.cpython-\d+t?(?:\.opt-\d)?\.pyc$")
_CODE: Final = re.compile(r"\.(?:pyc|py)$")


@dataclass(frozen=True, slots=True)
class DistributionMetadata:
    """What a distribution says of itself."""

    name: str  # normalised (PEP 503)
    version: str
    licence: str
    record: tuple[str, ...] = ()  # the paths of its files below the folder that it's installed in, where that is known
    tops: tuple[str, ...] = ()  # its modules at the top level, where it names them
    bundled: tuple[Item, ...] = ()  # what it brings along of others, as bills of materials in it say (PEP 770)

    @property
    def modules(self) -> frozenset[str]:
        """The modules in its record."""
        return frozenset(name for path in self.record if (name := module_name(path)))


@dataclass(frozen=True)
class InstalledDistribution:
    """A distribution that is in an image."""

    metadata: DistributionMetadata
    site: str  # the folder that it is installed in, with a slash at its end
    folder: str  # of its metadata, in that folder
    files: Mapping[str, ContainedFile] = field(default_factory=dict)  # its own, by their paths in the image
    modules_elsewhere: frozenset[str] = frozenset()  # its modules that are in an executable

    @cached_property
    def item(self) -> Item:
        """What the inventory says of it."""
        about = self.metadata
        return Item(
            "distribution",
            about.name,
            about.version,
            purl_of("pypi", about.name, about.version),
            about.licence,
            digest_of_files(self.files.values()),
            (f"{self.site}{self.folder}",),
            left_out=modules_left_out(about.record, self.modules | self.modules_elsewhere),
            bare=self._is_bare(),
        )

    def _is_bare(self) -> bool:
        """True where it had modules, and nothing is left but its metadata."""
        metadata = f"{self.site}{self.folder}/"
        return bool(self.metadata.modules) and all(path.startswith(metadata) for path in self.files)

    @property
    def title(self) -> str:
        """Its name and its version."""
        return f"{self.metadata.name} {self.metadata.version}"

    @property
    def bundled(self) -> tuple[Item, ...]:
        """What it brought along of others, as far as that is still there."""
        return still_there(self.metadata.bundled, self.metadata.record, self.files)

    @cached_property
    def modules(self) -> frozenset[str]:
        """The modules of it that lie in the image's files."""
        inside = (_plain(path.removeprefix(self.site)) for path in self.files)
        return frozenset(name for path in inside if (name := module_name(path)))


def distributions_in(
    files: Mapping[str, ContainedFile], known: Mapping[str, DistributionMetadata] | None = None
) -> Iterator[InstalledDistribution]:
    """The distributions whose metadata lie among ``files``, by name.

    ``known`` has, by names, what is known of distributions besides; an image of cannery's has no RECORD.
    """
    found = [*_described(files, known or {})]
    sites = {each.site for each in found}
    owners = _FileOwners(found)
    theirs: dict[tuple[str, str], dict[str, ContainedFile]] = defaultdict(dict)
    for path, file in files.items():
        site = max((site for site in sites if path.startswith(site)), key=len, default=None)
        if site is not None:
            for folder in owners.of(site, path.removeprefix(site)):
                theirs[site, folder][path] = file
                if archive := archive_of(path):
                    theirs[site, folder][archive] = files[archive]
    made = (
        InstalledDistribution(each.metadata, each.site, each.folder, theirs[each.site, each.folder]) for each in found
    )
    yield from sorted(made, key=lambda each: (each.metadata.name, each.metadata.version, each.site))


def read_metadata(
    text: str, record: str = "", tops: str = "", *, boms: Iterable[str] = ()
) -> DistributionMetadata | None:
    """What METADATA or PKG-INFO say, RECORD, top_level.txt, and bills of materials (PEP 770).

    None for a text without a name and a version.
    """
    fields: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in HeaderParser().parsestr(text).items():
        fields[name.lower()].append(str(value))
    name, version = (next(iter(fields[field]), "").strip() for field in ("name", "version"))
    if not (name and version):
        return None
    name = canonicalize_name(name)
    bundled = tuple(item for bom in boms for item in bundled_in(bom, f"{name} {version}"))
    return DistributionMetadata(
        name, version, licence_of(fields), tuple(recorded_paths(record)), tuple(tops.split()), bundled
    )


def recorded_paths(record: str) -> Iterator[str]:
    """The paths in a RECORD (packaging.python.org, recording installed projects), up to where it's no table."""
    with suppress(csv.Error):
        for row in csv.reader(record.splitlines()):
            yield from row[:1]


def modules_left_out(record: Iterable[str], present: Iterable[str]) -> tuple[str, ...]:
    """The modules that a ``record`` has and that are not among ``present``; what lies below one isn't named."""
    there = frozenset(present)
    missing = {name for path in record if (name := module_name(path)) and name not in there}
    return tuple(sorted(name for name in missing if not any(above in missing for above in _above(name))))


def _above(name: str) -> Iterator[str]:
    while name := name.rpartition(".")[0]:
        yield name


def _described(
    files: Mapping[str, ContainedFile], known: Mapping[str, DistributionMetadata]
) -> Iterator[InstalledDistribution]:
    for path, file in files.items():
        found = _INFO.fullmatch(path)
        if found is None or not file.text:
            continue
        folder = f"{found['site']}{found['folder']}/"
        beside = (files.get(folder + name) for name in ("RECORD", "top_level.txt"))
        boms = [each.text for path, each in files.items() if path.startswith(f"{folder}sboms/")]
        metadata = read_metadata(file.text, *(each.text if each else "" for each in beside), boms=boms)
        if metadata is not None:
            better = known.get(metadata.name)
            yield InstalledDistribution(better or metadata, found["site"], found["folder"])


class _FileOwners:
    """The folders of the metadata of those distributions that files belong to."""

    def __init__(self, found: Sequence[InstalledDistribution]) -> None:
        self._by_path: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._by_top: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for each in found:
            for path in each.metadata.record:
                self._by_path[each.site, _plain(path)].add(each.folder)
            own = (each.folder, f"{each.metadata.name}.libs", f"{each.folder.rpartition('-')[0]}.libs")
            first = each.folder.split("-")[0]
            for top in (*own, f"{first}.libs", *each.metadata.tops):
                self._by_top[each.site, top].add(each.folder)

    def of(self, site: str, inside: str) -> set[str]:
        """The owners of the file ``inside`` of the folder ``site``."""
        if found := self._by_path.get((site, _plain(inside))):
            return found
        folder, _, rest = _ARCHIVE.sub("", inside).partition("/")
        top = folder if rest and folder != "__pycache__" else _plain(inside).partition(".")[0]
        return self._by_top.get((site, top), set())


def _plain(path: str) -> str:
    """The path in a wheel of what became a file of an image: bytecode for a source, a library that was compressed."""
    path = _CACHED.sub(r"\g<name>.py", _ARCHIVE.sub("", path)).removesuffix(".xz")
    return _CODE.sub(".py", path)
