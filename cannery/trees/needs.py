"""The needs of trees: shared libraries, and modules of the standard library, that a runtime must have for them."""

from __future__ import annotations

import posixpath
import re
from dataclasses import asdict
from typing import TYPE_CHECKING

import msgspec

from cannery.elf.need import Need
from cannery.python.stdlib import BRINGS_BACK, BRINGS_BACK_FOR_THE_APP
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.tree import File, LazyTree, Tree
    from cannery.workspace.workspace import Workspace

__all__ = ["Needs", "libraries_opened", "needs_of_app", "read_needs"]

_NOTED = BRINGS_BACK | {"zoneinfo"}  # the modules whose imports decide what goes into a runtime
_NAMES = "|".join(sorted(_NOTED)).encode()
# A statement, or a command: [sys.executable, "-m", "venv", folder]
_IMPORT = re.compile(
    rb"^[ \t]*(?:from|import)[ \t]+(%s)\b|[\"']-m[\"'],\s*[\"'](%s)[\"']" % (_NAMES, _NAMES), re.MULTILINE
)
# By ctypes and by cffi
_OPENERS = (b"CDLL", b"PyDLL", b"LoadLibrary", b"dlopen", b"find_library")
_FILE = re.compile(rb"""["'](lib[\w+.-]*\.so(?:\.\d+)*)["']""")
_LOOKED_FOR = re.compile(rb"""\bfind_library\(\s*["']([\w+.-]+)["']""")


class Needs(msgspec.Struct, frozen=True):
    """The needs of one tree or of several: ``needs + other``."""

    libraries: tuple[Need, ...] = ()
    modules: frozenset[str] = frozenset()  # imports of the standard library's modules that may be left out, zoneinfo
    opened: frozenset[str] = frozenset()  # shared libraries that code opens by name, there or not: "libz.so.1", or "z"
    brings_zones: bool = False  # has the tzdata package, so the system's time zones aren't needed

    def __add__(self, other: Needs) -> Needs:
        return Needs(
            tuple(sorted({*self.libraries, *other.libraries}, key=lambda need: (need.soname, need.by))),
            self.modules | other.modules,
            self.opened | other.opened,
            self.brings_zones or other.brings_zones,
        )


def needs_of_app(native: Tree, imports: frozenset[str], opened: frozenset[str] = frozenset()) -> Needs:
    """The needs of an app's own files: ``native`` are the ELF files among them, ``imports`` the modules they import.

    The shared libraries ``opened`` are looked for where none of ``native`` is one.
    """
    libraries: tuple[Need, ...] = ()
    if native.entries:
        from cannery.elf.closure import needs_of  # noqa: PLC0415  # not needed when nothing has changed

        libraries = needs_of(native)
    return Needs(libraries, imports & (BRINGS_BACK_FOR_THE_APP | _NOTED), opened - _names(native))


def read_needs(tree: LazyTree, workspace: Workspace) -> Needs:
    """The needs of ``tree``, read from its files or remembered under its key.

    To read them is to make the tree: uv installs a tree of wheels now, Cython compiles one of modules.
    """
    key = key_of("needs", code_key(__name__), tree.key)
    known = workspace.cache.recall("needs", key)
    if known is None:
        from cannery.elf.closure import needs_of  # noqa: PLC0415  # not needed when nothing has changed

        sources = [_source(file) for path, file in tree.tree.files() if path.endswith(".py")]
        opened = {name for source in sources for name in libraries_opened(source)}
        known = {
            "libraries": [asdict(need) for need in needs_of(tree.tree)],
            "modules": sorted({name for source in sources for name in _noted_imports(source)}),
            "opened": sorted(opened - _names(tree.tree)),
            "brings_zones": any(path.endswith("/tzdata/zoneinfo/__init__.py") for path in tree.tree.entries),
        }
        workspace.cache.remember("needs", key, known)
    libraries = tuple(Need(each["soname"], each["by"], tuple(each["search"])) for each in known["libraries"])
    return Needs(libraries, frozenset(known["modules"]), frozenset(known["opened"]), known["brings_zones"])


def libraries_opened(source: bytes) -> Iterator[str]:
    """The names of the shared libraries that the code in ``source`` opens, by ctypes or cffi.

    They are those of files that stand in a source which opens some (``"libz.so.1"``), wherever they stand in it, and
    those that are looked for without their ending (``find_library("z")``).
    """
    if any(opener in source for opener in _OPENERS):
        yield from (name.decode() for name in (*_FILE.findall(source), *_LOOKED_FOR.findall(source)))


def _names(tree: Tree) -> frozenset[str]:
    return frozenset(posixpath.basename(path) for path, _ in tree)


def _source(file: File) -> bytes:
    with file.content.open() as stream:
        return stream.read()


def _noted_imports(source: bytes) -> set[str]:
    return {(imported or run).decode() for imported, run in _IMPORT.findall(source)}
