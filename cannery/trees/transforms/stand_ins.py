"""Modules of the standard library that stay out, and what stands in their place."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.image.content import Inline
from cannery.image.tree import File, Transform, Tree
from cannery.project.modules import imported_as, named_by
from cannery.workspace.keys import code_key, key_of, package_file
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.imports.places import Place
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["LeftOutModules", "left_out"]

_WORKER = package_file("trees/workers/write_stand_in.py")
# Extension modules that only hold a library for a module: where that is left out, they are too.
_BEHIND = {"ctypes": ("_ctypes",), "sqlite3": ("_sqlite3",), "ssl": ("_ssl", "_hashlib")}


@dataclass(frozen=True, slots=True)
class LeftOutModules:
    """The modules that a setting leaves out, and the sources of what takes the places of some of them."""

    names: Mapping[str, str]  # module -> the name that the setting has for it: _ssl -> ssl
    stand_ins: Mapping[str, str]  # module -> source

    def taken_from(self, place: Place) -> Place:
        """``place`` without these modules; the stand-ins are in the standard library's."""
        return replace(place, tree=place.tree | self.transform(place)) if self.names else place

    def transform(self, place: Place) -> Transform:
        """The transform from trees of ``place`` to the same without these modules."""
        sources = {f"{place.roots[0]}/{name}.py": File(Inline(text.encode())) for name, text in self.stand_ins.items()}
        added = Tree(sources if place.kind == "stdlib" else {})

        def apply(tree: Tree) -> Tree:
            return tree.filter(lambda path, _: not named_by(imported_as(path, place.roots), self.names)) + added

        key = key_of("left out", code_key(__name__), dict(self.names), dict(self.stand_ins), place.kind, place.roots)
        return Transform(key, apply)


def left_out(without: Iterable[str], setting: str, interpreter: Interpreter, workspace: Workspace) -> LeftOutModules:
    """The modules ``without`` and those that are nothing without them; ``setting`` is what messages call that list.

    A module that is one file of the standard library has a stand-in. Packages, modules whose name begins with an
    underscore, those inside the interpreter and those of wheels have none: they are absent.
    """
    names = {each: name for name in without for each in (name, *_BEHIND.get(name, ()))}
    public = [name for name in names if name in sys.stdlib_module_names and not name.startswith("_")]
    files = [name for name in public if _is_file(name, interpreter)]
    return LeftOutModules(names, {name: _stand_in(name, setting, interpreter, workspace) for name in files})


def _is_file(name: str, interpreter: Interpreter) -> bool:
    if (interpreter.stdlib / f"{name}.py").is_file():
        return True
    return interpreter.dynload is not None and any(interpreter.dynload.glob(f"{name}.*so"))


def _stand_in(name: str, setting: str, interpreter: Interpreter, workspace: Workspace) -> str:
    key = key_of("stand-in", code_key(__name__), name, setting, interpreter.fingerprint)
    known = workspace.cache.recall("stand-ins", key)
    if known is not None:
        return str(known["source"])
    try:
        source = workspace.run([str(interpreter.runs), "-I", str(_WORKER), name, setting]).stdout
    except ProgramFailed as error:
        raise ConfigurationError(
            f"{setting} names {name!r}, which {interpreter.runs} can't import",
            evidence=error.stderr.strip().rpartition("\n")[2],
            step="leave it out of without: it isn't there anyway",
        ) from error
    workspace.cache.remember("stand-ins", key, {"source": source})
    return source
