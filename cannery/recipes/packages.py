"""A project's own packages compiled with no image around them, for ``cythonize`` and ``tests_compiled``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.tags import Tag

from cannery.errors import ProjectError
from cannery.image.folder import merge_tree
from cannery.image.tree import Tree
from cannery.project.app import HOME
from cannery.project.copies import copy_project, remove_sources
from cannery.project.interpreter import interpreter_for
from cannery.python.abi import abi_of
from cannery.python.wheel import read_wheel, write_wheel
from cannery.trees.app import app_tree
from cannery.trees.cython.extensions import compiler_for
from cannery.trees.cython.transform import cython
from cannery.trees.installed import entry_files
from cannery.trees.transforms.bytecode import bytecode
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.app import App
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["Cythonized", "copy_without_sources", "cythonize"]

_LINES = 20  # of what a build backend says


@dataclass(frozen=True, slots=True)
class Cythonized:
    """Compiled packages on disk."""

    path: Path  # a folder, or a wheel
    modules: tuple[str, ...]  # the extension modules' paths in it
    size: int  # bytes, of the extension modules


def cythonize(app: App, workspace: Workspace, output: Path, *, wheel: bool = False) -> Cythonized:
    """Write the compiled packages of ``app`` to the folder ``output``, or a wheel of the project into it."""
    python = interpreter_for(app, workspace)
    packages = _built_packages(app, python, workspace) if wheel else _own_packages(app, workspace)
    tree = _compiled(packages, app, python, workspace)
    if wheel:
        return _told(write_wheel(tree, output, _wheel_tag(app, python, workspace)), tree)
    merge_tree(tree, output)
    return _told(output, tree)


def copy_without_sources(app: App, workspace: Workspace, target: Path, *, package: bool) -> Path | None:
    """Copy the project to ``target`` with its packages compiled, and none of their sources, which tests might import.

    Extension modules take the places of sources. Those of a ``package``, a project that is installed, go into a wheel
    beside ``target``, whose path is returned.
    """
    python = interpreter_for(app, workspace)
    packages = _built_packages(app, python, workspace) if package else _own_packages(app, workspace)
    compiled = _compiled(packages, app, python, workspace)
    copy_project(app.folder, target)
    for top, sources in _sources(packages.tree).items():
        root = remove_sources(target, sources)
        if not package:
            merge_tree(_below(compiled, top), root)
    return write_wheel(compiled, target.parent, _wheel_tag(app, python, workspace)) if package else None


@dataclass(frozen=True, slots=True)
class _Packages:
    """A project's packages and modules, by their paths below the folder that imports start from."""

    tree: Tree
    scripts: frozenset[str] = frozenset()  # files in it that are run, and not imported


def _own_packages(app: App, workspace: Workspace) -> _Packages:
    """The packages and modules of the project that ``app`` reaches, from its folder."""
    code = app_tree(app, workspace).code.tree
    tree = Tree({_imported_path(path, app): entry for path, entry in code if path.startswith(f"{HOME}/")})
    return _Packages(tree, frozenset(_imported_path(path, app) for path in entry_files(app)))


def _built_packages(app: App, python: Interpreter, workspace: Workspace) -> _Packages:
    """The packages and modules in the project's wheel.

    Its build backend makes the wheel from a copy of the project, as backends leave files behind. Raises
    :class:`ProjectError` where the backend fails.
    """
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
        return _Packages(read_wheel(path))


def _compiled(packages: _Packages, app: App, python: Interpreter, workspace: Workspace) -> Tree:
    """The packages with extension modules in place of sources, and bytecode of the sources that stay uncompiled."""
    settings = app.settings
    keep = settings.keep_sources
    compiler = compiler_for(abi_of(python, workspace), settings.cython, workspace)
    compiled = cython(compiler, workspace, scripts=packages.scripts, exclude=(*settings.cython.exclude, *keep))
    elsewhere = packages.tree.filter(lambda path, _: ".data/" in path)  # a wheel's files for other folders
    modules = packages.tree.filter(lambda path, _: path not in elsewhere)
    return (modules | compiled | bytecode(python, workspace, optimize=settings.optimize, keep_sources=keep)) + elsewhere


def _wheel_tag(app: App, python: Interpreter, workspace: Workspace) -> Tag:
    """The tag of a wheel of compiled packages (packaging.python.org, platform compatibility tags)."""
    target = app.settings.cython.target
    abi = abi_of(python, workspace)
    suffix = (abi.for_target(target) if target else abi).suffix
    found = re.fullmatch(r"\.cpython-(\d+)(\w*)-(\w+)-linux-\w+\.so", suffix)
    if found is None:
        raise ProjectError(f"no wheel has a tag for modules that end in {suffix}", step="leave out --wheel")
    version, threading, machine = found.groups()
    return Tag(f"cp{version}", f"cp{version}{threading}", f"{_libc(target)}_{machine}")


def _imported_path(path: str, app: App) -> str:
    """A path of the image, relative to the innermost of the folders that imports start from."""
    roots = sorted(app.image_roots, key=len, reverse=True)
    return path.removeprefix(next(root for root in roots if path.startswith(f"{root}/")))


def _libc(target: str | None) -> str:
    """``manylinux_2_17`` for a target that names its C library's version (PEP 600, PEP 656)."""
    found = re.fullmatch(r"\w+-linux-(gnu|musl)\w*\.(\d+)\.(\d+)(\.\d+)?", target or "")
    return f"{'many' if found[1] == 'gnu' else 'musl'}linux_{found[2]}_{found[3]}" if found else "linux"


def _told(path: Path, tree: Tree) -> Cythonized:
    modules = {name[1:]: file.content.size for name, file in tree.files() if name.endswith(".so")}
    return Cythonized(path, tuple(modules), sum(modules.values()))


def _sources(tree: Tree) -> dict[str, dict[str, bytes]]:
    """The sources by their top-level module or package, each with its content."""
    found: dict[str, dict[str, bytes]] = {}
    for path, file in tree.files():
        if path.endswith(".py") and ".data/" not in path:
            with file.content.open() as stream:
                found.setdefault(_top(path), {})[path[1:]] = stream.read()
    return found


def _below(tree: Tree, top: str) -> Tree:
    return tree.filter(lambda path, _: _top(path) == top)


def _top(path: str) -> str:
    return path.split("/")[1].partition(".")[0]
