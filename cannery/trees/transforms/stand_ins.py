"""Modules of the standard library that stay out, and what stands in their place."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.image.content import Inline
from cannery.image.tree import File, Transform, Tree
from cannery.project.modules import imported_as, named_by
from cannery.workspace.keys import code_key, key_of, package_file
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["LeftOutModules", "left_out", "left_out_with"]

_WORKER = package_file("trees/workers/write_stand_in.py")
# Extension modules that only hold a library for a module: where that is left out, they are too.
_BEHIND = {"ctypes": ("_ctypes",), "sqlite3": ("_sqlite3",), "ssl": ("_ssl", "_hashlib")}


@dataclass(frozen=True, slots=True)
class LeftOutModules:
    """What stays out, and the sources of what takes the places of some of it."""

    names: tuple[str, ...]
    stand_ins: Mapping[str, str]

    def of(self, interpreter: Interpreter) -> Transform:
        """The transform that leaves it out of a tree of that interpreter's modules, and puts the stand-ins in."""
        library = interpreter.image_stdlib
        roots = (interpreter.image_site_packages, f"{library}/lib-dynload", library)
        sources = {f"{library}/{name}.py": File(Inline(text.encode())) for name, text in self.stand_ins.items()}

        def apply(tree: Tree) -> Tree:
            return tree.filter(lambda path, _: not named_by(imported_as(path, roots), self.names)) + Tree(sources)

        return Transform(key_of("left out", code_key(__name__), self.names, self.stand_ins, roots), apply)


def left_out_with(name: str) -> tuple[str, ...]:
    """The module ``name`` and those that are nothing without it."""
    return (name, *_BEHIND.get(name, ()))


def left_out(without: Iterable[str], setting: str, interpreter: Interpreter, workspace: Workspace) -> LeftOutModules:
    """What stays out by the ``setting`` of that name, ``without``.

    What is one file of the standard library has a stand-in. Packages, what a leading underscore makes private, and what
    is installed have none: they are absent.
    """
    names = tuple(each for name in without for each in left_out_with(name))
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
        source = workspace.run([str(interpreter.executable), "-I", str(_WORKER), name, setting]).stdout
    except ProgramFailed as error:
        raise ConfigurationError(
            f"{setting} names {name!r}, which {interpreter.executable} can't import",
            evidence=error.stderr.strip().rpartition("\n")[2],
            step="leave it out of without: it isn't there anyway",
        ) from error
    workspace.cache.remember("stand-ins", key, {"source": source})
    return source
