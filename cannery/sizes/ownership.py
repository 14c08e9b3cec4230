"""Whose a file of an image is, and what it's called there: a distribution's module, a library of the system."""

from __future__ import annotations

import csv
import posixpath
import re
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.sizes.layer_files import LayerFile

__all__ = ["Kind", "Owner", "Ownership", "Thing"]

Kind = Literal["module", "extension module", "shared library", "data", "metadata"]

_SITE: Final = re.compile(r".*?/(?:site|dist)-packages/(?:[^/]+\.zip/)?(?P<inside>.+)")
_STDLIB: Final = re.compile(r".*?/lib/python3(?:\.\d+t?|\d+t?\.zip)/(?:lib-dynload/)?(?P<inside>.+)")
_ARCHIVE: Final = re.compile(r".*?/(?:lib/python3\d+t?|(?:site|dist)-packages/[^/]+)\.zip")
_INTERPRETER: Final = re.compile(r".*/(?:bin/python[\d.]*t?|lib[^/]*/(?:[^/]+/)?libpython3[^/]*)")
_SYSTEM: Final = re.compile(r"/(?:usr/)?(?:lib|lib32|lib64|libx32)/")
_METADATA: Final = re.compile(r"(?P<name>.+?)-(?P<version>[^-/]+)(?:-py[\d.]+)?\.(?:dist-info|egg-info)")
_PACKAGE: Final = re.compile(r"/var/lib/dpkg/info/(?P<name>[^/:]+)(?::\w+)?\.list")
_BUNDLED: Final = re.compile(r"(?P<name>.+)\.libs")  # of auditwheel's: what a wheel brings along
_CODE: Final = re.compile(r"\.(?:pyc|py)")
_EXTENSION: Final = re.compile(r"(?P<name>\w+)(?:\.(?:cpython|abi3)[\w-]*)?\.so")
_CACHED: Final = re.compile(r"__pycache__/(?P<name>\w+)\.cpython-\d+(?:\.opt-\d)?\.pyc$")
_LIBRARY: Final = re.compile(r"[\w.+-]+\.so(?:\.[\d.]+)?")


class Owner(NamedTuple):
    """Who a file is of."""

    name: str  # "polars", "standard library", "app"
    version: str = ""  # of a distribution

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()


class Thing(NamedTuple):
    """A file by what it is called where it belongs."""

    owner: Owner
    kind: Kind
    name: str  # a module's full name; else a path below the owner's folder


_APP: Final = Owner("app")
_CANNERY: Final = Owner("cannery")  # what it adds so that programs work without what was left out
_PYTHON: Final = Owner("interpreter")
_STANDARD: Final = Owner("standard library")
_LIBRARIES: Final = Owner("system libraries")
_FILES: Final = Owner("system files")


class Ownership:
    """What the distributions of an image say of their files."""

    def __init__(self, files: Iterable[LayerFile], home: str) -> None:
        """``files`` are those of all layers; ``home`` is the folder of the app."""
        self._home = posixpath.join(home, "")
        self._by_top: dict[str, set[Owner]] = defaultdict(set)
        self._by_name: dict[str, Owner] = {}
        self._packaged: dict[str, Owner] = {}  # files of Debian packages
        for file in files:
            if found := _PACKAGE.fullmatch(file.path):
                self._packaged |= dict.fromkeys(
                    map(_merged, file.text.splitlines()), Owner(f"{found['name']} (Debian)")
                )
            if (site := _SITE.fullmatch(file.path)) and (found := _METADATA.match(site["inside"])):
                owner = Owner(canonicalize_name(found["name"]), found["version"])
                self._by_name[owner.name] = owner
                for top in _tops(file):
                    self._by_top[top].add(owner)

    def thing(self, path: str) -> Thing:
        """What the file at ``path`` is, and whose."""
        if site := _SITE.fullmatch(path):
            return self._installed(site["inside"])
        if library := _STDLIB.fullmatch(path):
            return Thing(_STANDARD, *_named(library["inside"]))
        if path.startswith(self._home):
            return Thing(_APP, *_named(path.removeprefix(self._home)))
        thing = _of_the_system(path)
        return thing._replace(owner=self._packaged.get(_merged(path), thing.owner))

    def _installed(self, inside: str) -> Thing:
        """The file ``inside`` of the folder that distributions are installed in."""
        folder = inside.partition("/")[0]
        if found := _METADATA.fullmatch(folder):
            owner = self._by_name.get(canonicalize_name(found["name"]), Owner(canonicalize_name(found["name"])))
            return Thing(owner, "metadata", inside)
        kind, name = _named(inside)
        if found := _BUNDLED.fullmatch(folder):
            return Thing(self._owner(found["name"]), kind, name)
        return Thing(self._owner(_top_of(inside)), kind, name)

    def _owner(self, top: str) -> Owner:
        """The distribution that has the module ``top``; several that share it are named together."""
        owners = self._by_top.get(top) or {self._by_name.get(canonicalize_name(top), Owner(top))}
        if top.startswith("_cannery"):
            return _CANNERY
        if len(owners) == 1:
            return next(iter(owners))
        return Owner(f"{top} ({', '.join(sorted(each.name for each in owners))})")


def _of_the_system(path: str) -> Thing:
    """A file that belongs to the interpreter or to the system around it."""
    base = posixpath.basename(path)
    if _ARCHIVE.fullmatch(path):
        return Thing(_STANDARD, "data", base)
    if _INTERPRETER.fullmatch(path):
        return Thing(_PYTHON, "shared library" if ".so" in base else "data", base)
    if _SYSTEM.match(path) and _LIBRARY.fullmatch(base):
        return Thing(_LIBRARIES, "shared library", base)
    return Thing(_FILES, "data", path)


def _merged(path: str) -> str:
    """``path`` as it is where /lib and /bin are links into /usr: packages name files by either."""
    return re.sub(r"^/(?=(?:s?bin|lib(?:32|64|x32)?)/)", "/usr/", path)


def _tops(file: LayerFile) -> Iterator[str]:
    """The modules at the top level that a list of a distribution names (PEP 376 for RECORD)."""
    if posixpath.basename(file.path) == "top_level.txt":
        yield from filter(None, map(str.strip, file.text.splitlines()))
    elif file.text:
        for path in _recorded(file.text):
            if not path.startswith(("..", "/")) and not _METADATA.match(path.partition("/")[0]):
                yield _top_of(path)


def _recorded(text: str) -> Iterator[str]:
    """The paths in a RECORD, up to where it's no table."""
    with suppress(csv.Error):
        for row in csv.reader(text.splitlines()):
            yield from row[:1]


def _top_of(inside: str) -> str:
    """The module at the top level that a file lies in."""
    folder, _, rest = inside.partition("/")
    return folder if rest and folder != "__pycache__" else _named(inside)[1].partition(".")[0]


def _named(inside: str) -> tuple[Kind, str]:
    """What the file ``inside`` of a folder for modules is, and its name."""
    inside = _CACHED.sub(r"\g<name>.pyc", inside)
    folder, base = posixpath.split(inside)
    stem, suffix = posixpath.splitext(base)
    if _CODE.fullmatch(suffix) and all(part.isidentifier() for part in inside.removesuffix(suffix).split("/")):
        return "module", _dotted(folder, stem)
    if (found := _EXTENSION.fullmatch(base)) and not base.startswith("lib"):
        return "extension module", _dotted(folder, found["name"])
    if _LIBRARY.fullmatch(base):
        return "shared library", base
    return "data", inside


def _dotted(folder: str, stem: str) -> str:
    parts = [*filter(None, folder.split("/")), *([] if stem == "__init__" and folder else [stem])]
    return ".".join(parts)
