"""The needs of trees: shared libraries, and modules of the standard library, that a runtime must have for them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cannery.elf.need import Need
from cannery.python.stdlib import BRINGS_BACK, BRINGS_BACK_FOR_THE_APP
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.tree import File, LazyTree, Tree
    from cannery.workspace.workspace import Workspace

__all__ = ["Needs", "needs_of_app", "read_needs"]

_NOTED = BRINGS_BACK | {"zoneinfo"}  # the modules whose imports decide what goes into a runtime
_NAMES = "|".join(sorted(_NOTED)).encode()
# A statement, or a command: [sys.executable, "-m", "venv", folder]
_IMPORT = re.compile(
    rb"^[ \t]*(?:from|import)[ \t]+(%s)\b|[\"']-m[\"'],\s*[\"'](%s)[\"']" % (_NAMES, _NAMES), re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Needs:
    """The needs of one tree or of several: ``needs + other``."""

    libraries: tuple[Need, ...] = ()
    modules: frozenset[str] = frozenset()  # imports of the standard library's modules that may be left out, zoneinfo
    brings_zones: bool = False  # has the tzdata package, so the system's time zones aren't needed

    def __add__(self, other: Needs) -> Needs:
        return Needs(
            tuple(sorted({*self.libraries, *other.libraries}, key=lambda need: (need.soname, need.by))),
            self.modules | other.modules,
            self.brings_zones or other.brings_zones,
        )


def needs_of_app(native: Tree, imports: frozenset[str]) -> Needs:
    """The needs of an app's own files: ``native`` are the ELF files among them, ``imports`` the modules they import."""
    libraries: tuple[Need, ...] = ()
    if native.entries:
        from cannery.elf.closure import needs_of  # noqa: PLC0415  # not needed when nothing has changed

        libraries = needs_of(native)
    return Needs(libraries, imports & (BRINGS_BACK_FOR_THE_APP | _NOTED))


def read_needs(tree: LazyTree, workspace: Workspace) -> Needs:
    """The needs of ``tree``, read from its files or remembered under its key.

    To read them is to make the tree: uv installs a tree of wheels now, Cython compiles one of modules.
    """
    key = key_of("needs", code_key(__name__), tree.key)
    known = workspace.cache.recall("needs", key)
    if known is None:
        from cannery.elf.closure import needs_of  # noqa: PLC0415  # not needed when nothing has changed

        modules = {name for path, file in tree.tree.files() if path.endswith(".py") for name in _noted_imports(file)}
        known = {
            "libraries": [asdict(need) for need in needs_of(tree.tree)],
            "modules": sorted(modules),
            "brings_zones": any(path.endswith("/tzdata/zoneinfo/__init__.py") for path in tree.tree.entries),
        }
        workspace.cache.remember("needs", key, known)
    libraries = tuple(Need(each["soname"], each["by"], tuple(each["search"])) for each in known["libraries"])
    return Needs(libraries, frozenset(known["modules"]), known["brings_zones"])


def _noted_imports(file: File) -> set[str]:
    with file.content.open() as stream:
        return {(imported or run).decode() for imported, run in _IMPORT.findall(stream.read())}
