"""Sources become extension modules: ``x.py`` is replaced by ``x`` with the suffix of an extension module.

Python runs no extension module as a script. So where a script is compiled (the entry point's file, and every
``__main__``), a few lines of Python take its place and start the extension module beside it.
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

from cannery.errors import ProjectError
from cannery.image.content import Inline
from cannery.image.tree import Entry, File, Symlink, Transform, Tree
from cannery.project.app import HOME
from cannery.project.modules import imported_as, named_by
from cannery.trees.cython.extensions import ModuleSource, compile_all
from cannery.trees.cython.function_readers import refuse_function_readers
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.trees.cython.extensions import Compiler
    from cannery.workspace.workspace import Workspace

__all__ = ["cython", "starter"]

_LONGEST_NAME = 255  # bytes, on most file systems

# Does what Python does where it runs a script, or imports it under another name, as multiprocessing does in a process
# that it starts; others do so there while there is no __main__ at all.
_STARTER = """\
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec

_running = sys.modules.get("__main__")
if __name__ != "__main__" and getattr(_running, "__file__", None) == __file__:
    sys.modules[__name__] = _running
else:
    _path = __file__.rpartition("/")[0] + {file!r}
    _loader = ExtensionFileLoader("__main__", _path)
    _module = _loader.create_module(ModuleSpec("__main__", _loader, origin=_path))
    _module.__name__, _module.__file__ = __name__, __file__
    _module.__spec__, _module.__package__ = __spec__, __package__
    sys.modules[__name__] = _module
    _loader.exec_module(_module)
    globals().update(vars(_module))
"""


def cython(
    compiler: Compiler,
    workspace: Workspace,
    *,
    import_roots: tuple[str, ...] = (),
    scripts: frozenset[str] = frozenset(),
    exclude: tuple[str, ...] = (),
) -> Transform:
    """The transform by ``compiler``; modules and packages in ``exclude`` stay as they are.

    ``import_roots`` are the folders that modules' names start from, ``scripts`` the files that are run, not imported.
    The transform raises :class:`ProjectError` for a module that can't be compiled, for two modules of one name, and
    for an extension module that lies beside its source already.
    """
    key = key_of("cython", code_key(__name__), compiler.key, import_roots, sorted(scripts), exclude)

    def apply(tree: Tree) -> Tree:
        sources = {source.path: source for source in _sources(tree, import_roots, scripts, exclude)}
        _refuse_leftovers(tree, sources)
        refuse_function_readers(sources.values())
        modules = compile_all(sources.values(), compiler, workspace)
        entries: dict[str, Entry] = {}
        for path, entry in tree:
            if path not in sources:
                entries[path] = (
                    _link(path, entry, sources, compiler.abi.suffix) if isinstance(entry, Symlink) else entry
                )
                continue
            target = _target(path, compiler.abi.suffix, script=sources[path].script)
            entries[target] = modules[path]
            if sources[path].script:
                entries[path] = File(Inline(starter(posixpath.basename(target)).encode()))
        return Tree(entries)

    return Transform(key, apply)


def starter(file: str) -> str:
    """The lines that take a script's place and start ``file``, the extension module beside it."""
    return _STARTER.format(file=f"/{file}")


def _sources(
    tree: Tree, roots: tuple[str, ...], scripts: frozenset[str], exclude: tuple[str, ...]
) -> Iterator[ModuleSource]:
    """The modules to be compiled: every .py file that can be imported or is run, less ``exclude``."""
    seen: dict[str, str] = {}
    for path, file in tree.files():
        name = imported_as(path, roots)
        script = path in scripts or path.endswith("/__main__.py")
        importable = all(part.isidentifier() for part in name.split("."))
        if not path.endswith(".py") or not (importable or script) or named_by(name, exclude):
            continue
        if name in seen:
            raise ProjectError(
                f"two modules are called {name!r}, and only one of them can be imported",
                evidence=f"{_shown(seen[name])}\n{_shown(path)}",
                step=f"rename one, or leave it out:  [tool.cannery]  exclude = [{_shown(path)!r}]",
            )
        seen[name] = path
        package = "/__init__" if path.endswith("/__init__.py") and name != "__init__" else ""
        yield ModuleSource(path, file, name, f"{name.replace('.', '/')}{package}.py", script)


def _refuse_leftovers(tree: Tree, sources: dict[str, ModuleSource]) -> None:
    """Refuse an extension module beside its source: Python would import it, though it may be older than the source."""
    for path in tree.entries:
        source = f"{posixpath.dirname(path)}/{posixpath.basename(path).partition('.')[0]}.py"
        if path.endswith(".so") and source in sources:
            raise ProjectError(
                f"{_shown(path)} lies beside its source {posixpath.basename(source)}",
                evidence="Python would import it, and it may be older than its source",
                step=f"remove it, or keep it and leave out the source:  [tool.cannery]  exclude = [{_shown(source)!r}]",
            )


def _target(path: str, suffix: str, *, script: bool) -> str:
    """The path of the extension module; a script's has a name that no import looks for."""
    target = f"{path.removesuffix('.py')}{'.script' if script else ''}{suffix}"
    if len(os.fsencode(posixpath.basename(target))) > _LONGEST_NAME:
        raise ProjectError(
            f"the name of {_shown(path)} is too long: with {suffix!r} no file system takes it",
            step="choose a shorter name, or leave it as bytecode:  [tool.cannery.cython]  exclude",
        )
    return target


def _link(path: str, link: Symlink, sources: dict[str, ModuleSource], suffix: str) -> Symlink:
    """The link, led to the extension module where its target is a source that becomes one."""
    source = sources.get(posixpath.normpath(posixpath.join(posixpath.dirname(path), link.target)))
    if source is None or source.script:
        return link
    return Symlink(_target(link.target, suffix, script=False))


def _shown(path: str) -> str:
    """The path as the project has it."""
    return path.removeprefix(f"{HOME}/")
