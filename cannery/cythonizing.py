"""From a project to its compiled form, for other places than an image: what ``invoke cythonize`` does."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.tags import Tag

from cannery.errors import ProjectError
from cannery.interpreter import interpreter_for
from cannery.model import Tree
from cannery.process import ProgramFailed, find_uv
from cannery.sinks.folder import write_folder
from cannery.sinks.wheel import read_wheel, write_wheel
from cannery.trees.abi import abi_of
from cannery.trees.app import app_tree
from cannery.trees.bytecode import bytecode
from cannery.trees.collected import HOME
from cannery.trees.cython import cython
from cannery.trees.installed import entry_files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cannery.app import App, Interpreter
    from cannery.workspace import Workspace

__all__ = ["Cythonized", "compiled_sources", "compiled_wheel", "copy_project", "cythonize", "own_sources"]

_MADE = {"build", "dist", "__pycache__", "node_modules"}  # folders that are made from the project's own files
_LINES = 20  # of what a build backend says


@dataclass(frozen=True, slots=True)
class Cythonized:
    """What was made, and where it lies."""

    path: Path  # a folder, or a wheel
    modules: tuple[str, ...]  # the extension modules' paths in it
    size: int  # bytes, of the extension modules

    def as_json(self) -> dict[str, Any]:
        """The result in JSON's types."""
        return {"path": str(self.path), "modules": list(self.modules), "size": self.size}


def cythonize(app: App, workspace: Workspace, output: Path, *, wheel: bool = False) -> Cythonized:
    """Write the compiled packages of ``app`` to the folder ``output``, or a wheel of the project into it."""
    python = interpreter_for(app, workspace)
    if wheel:
        tree = compiled_wheel(app, python, workspace)
        return _told(write_wheel(tree, output, _tag(app, python, workspace)), tree)
    tree = compiled_sources(app, python, workspace)
    write_folder(tree, output)
    return _told(output, tree)


def compiled_sources(app: App, python: Interpreter, workspace: Workspace) -> Tree:
    """The packages and modules of ``app``, compiled, as if they lay in one folder that imports start from."""
    roots = frozenset(_imported_path(path, app) for path in entry_files(app))
    return _compiled(own_sources(app, workspace), app, python, workspace, roots)


def own_sources(app: App, workspace: Workspace) -> Tree:
    """The same as sources."""
    code = app_tree(app, workspace).code.tree
    return Tree({_imported_path(path, app): entry for path, entry in code if path.startswith(f"{HOME}/")})


def compiled_wheel(app: App, python: Interpreter, workspace: Workspace) -> Tree:
    """What the project's wheel, as its build backend makes it, would install; compiled."""
    tree = _built_wheel(app, python, workspace)
    data = tree.filter(lambda path, _: ".data/" in path)  # for other folders than site-packages
    return _compiled(tree.filter(lambda path, _: path not in data), app, python, workspace) + data


def copy_project(folder: Path, target: Path) -> None:
    """Copy a project without what is made from it, hidden folders and environments; its history is linked."""

    def left_out(here: str, names: Iterable[str]) -> set[str]:
        inside = folder.__class__(here)
        return {
            name
            for name in names
            if (path := inside / name).is_dir()
            and (name in _MADE or name.startswith(".") or name.endswith(".egg-info") or (path / "pyvenv.cfg").exists())
        }

    shutil.copytree(folder, target, symlinks=True, ignore=left_out)
    if (folder / ".git").exists():
        (target / ".git").symlink_to(folder / ".git")  # versions and lists of files may come from it


def _compiled(
    tree: Tree, app: App, python: Interpreter, workspace: Workspace, scripts: frozenset[str] = frozenset()
) -> Tree:
    settings = app.settings
    keep = settings.keep_sources
    compiled = cython(
        python, workspace, settings.cython, import_roots=(), scripts=scripts, keep_sources=keep, foreign=True
    )
    return tree | compiled | bytecode(python, workspace, optimize=settings.optimize, keep_sources=keep)


def _imported_path(path: str, app: App) -> str:
    """Where a file of the image lies below the innermost folder that imports start from."""
    roots = sorted((str(HOME / root) for root in app.import_roots), key=len, reverse=True)
    return path.removeprefix(next(root for root in roots if path.startswith(f"{root}/")))


def _built_wheel(app: App, python: Interpreter, workspace: Workspace) -> Tree:
    """The wheel of a copy of the project, as backends leave files behind."""
    if not any((app.folder / name).is_file() for name in ("pyproject.toml", "setup.py")):
        raise ProjectError(
            f"{app.folder} makes no wheel: it has no pyproject.toml",
            step="name the project and its version in one:  [project]  name = …  version = …; or leave out --wheel",
        )
    workspace.progress("building the wheel")
    with workspace.cache.scratch() as scratch:
        copy_project(app.folder, scratch / "project")
        command = [find_uv(), "build", "--wheel", "--no-progress", "--python", str(python.executable)]
        try:
            workspace.run([*command, "--out-dir", str(scratch / "made"), str(scratch / "project")])
        except ProgramFailed as error:
            raise ProjectError(
                "the project's wheel can't be built",
                evidence="\n".join(error.stderr.strip().splitlines()[-_LINES:]),
                step="see what the build backend makes of it: uv build --wheel; or leave out --wheel",
            ) from error
        (path,) = (scratch / "made").glob("*.whl")
        return read_wheel(path)


def _tag(app: App, python: Interpreter, workspace: Workspace) -> Tag:
    """Where the wheel works (packaging.python.org, platform compatibility tags)."""
    target = app.settings.cython.target
    abi = abi_of(python, workspace)
    suffix = (abi.for_target(target) if target else abi).suffix
    found = re.fullmatch(r"\.cpython-(\d+)(\w*)-(\w+)-linux-\w+\.so", suffix)
    if found is None:
        raise ProjectError(f"no wheel has a tag for modules that end in {suffix}", step="leave out --wheel")
    version, threading, machine = found.groups()
    return Tag(f"cp{version}", f"cp{version}{threading}", f"{_libc(target)}_{machine}")


def _libc(target: str | None) -> str:
    """``manylinux_2_17`` for a target that names its C library's version (PEP 600, PEP 656)."""
    found = re.fullmatch(r"\w+-linux-(gnu|musl)\w*\.(\d+)\.(\d+)(\.\d+)?", target or "")
    return f"{'many' if found[1] == 'gnu' else 'musl'}linux_{found[2]}_{found[3]}" if found else "linux"


def _told(path: Path, tree: Tree) -> Cythonized:
    modules = {name[1:]: file.content.size for name, file in tree.files() if name.endswith(".so")}
    return Cythonized(path, tuple(modules), sum(modules.values()))
