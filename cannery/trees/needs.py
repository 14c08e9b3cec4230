"""What the other trees of an image ask of its runtime: shared libraries, and modules of the standard library."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cannery.elf.closure import Need, needs_of
from cannery.python.stdlib import BRINGS_BACK, BRINGS_BACK_FOR_THE_APP
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.tree import File, LazyTree, Tree
    from cannery.workspace.workspace import Workspace

__all__ = ["Needs", "needs_of_app", "read_needs"]

_NOTED = BRINGS_BACK | {"zoneinfo"}
_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(%s)\b" % "|".join(sorted(_NOTED)).encode(), re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a tree asks of the runtime below it."""

    libraries: tuple[Need, ...] = ()
    modules: frozenset[str] = frozenset()  # of the standard library, among those that decide what goes in
    brings_zones: bool = False  # has the tzdata package, so the system's database isn't needed

    def __add__(self, other: Needs) -> Needs:
        return Needs(
            tuple(sorted({*self.libraries, *other.libraries}, key=lambda need: (need.soname, need.by))),
            self.modules | other.modules,
            self.brings_zones or other.brings_zones,
        )


def needs_of_app(native: Tree, imports: frozenset[str]) -> Needs:
    """The needs of the app's own files: ``native``, the ELF files among them, and the modules that they import."""
    return Needs(needs_of(native), imports & (BRINGS_BACK_FOR_THE_APP | _NOTED))


def read_needs(tree: LazyTree, workspace: Workspace) -> Needs:
    """Make the tree, and read its files for what they need; what is remembered under its key is not made again.

    With a tree of wheels this is when uv installs them, with one of compiled modules when they are compiled.
    """
    key = key_of("needs", code_key(__name__), tree.key)
    known = workspace.cache.recall("needs", key)
    if known is None:
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
        return {name.decode() for name in _IMPORT.findall(stream.read())}
