"""Pure wheels (tag ``none-any``), taken where a project publishes one beside those for each platform."""

from __future__ import annotations

import posixpath
import re
import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from cannery.image.tree import Decision, File, LazyTree, Tree
from cannery.project.installation import install
from cannery.project.pylock import hashes_of
from cannery.trees.wheel_files import installed_tree
from cannery.trees.wheels import placed
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.project.requirements import Requirements
    from cannery.python.interpreter import WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["prefer_pure"]

# A platform that hardly any wheel is for, so that uv takes a wheel for any. Environment markers don't meet it: the
# requirements are pinned by then.
_NOWHERE = "wasm32-pyodide2024"
# Sources that only work compiled (Cython's pure Python mode), and those that do nothing but load the compiled module
_NEEDS_COMPILING = re.compile(r"^(?:import cython|from cython\b.* import|cimport )|\b__bootstrap__\b", re.MULTILINE)


def prefer_pure(requirements: Requirements, wheels: LazyTree, target: WheelTarget, workspace: Workspace) -> LazyTree:
    """The dependencies in ``wheels``, each as its pure wheel where there is one of the same version.

    Of those that have none, extension modules are left out that were compiled from a source which lies beside them.
    """

    def make() -> Tree:
        tree = wheels.tree
        for name, version in sorted(_native(tree)):
            key = key_of(
                "pure wheel", code_key(__name__), name, version, _hashes(requirements, name, version), target.version
            )
            fill = partial(_install, requirements, name, version, target=target, workspace=workspace)
            folder = workspace.cache.folder("pure-wheels", key, fill)
            pure = installed_tree(folder, target.site_packages)
            if pure.entries and not list(_native(pure)):
                tree = _less(tree, pure, name) + pure
        return _with_sources_alone(tree)

    return LazyTree(key_of("prefer pure", code_key(__name__), wheels.key), make)


def _install(
    requirements: Requirements, name: str, version: str, folder: Path, target: WheelTarget, workspace: Workspace
) -> None:
    """Install the pure wheel into ``folder``, which stays empty where there is none."""
    workspace.progress(f"looking for a pure wheel of {name}")
    hashes = _hashes(requirements, name, version)
    pin = " ".join([f"{name}=={version}", *(f"--hash={each}" for each in hashes)])
    options = tuple(each for each in requirements.options if not each.startswith(("--extra=", "--group=")))
    asked = replace(
        requirements, text=f"{pin}\n", form="requirements", hashed=bool(hashes), complete=True, options=options
    )
    try:
        install(asked, placed(folder, target, _for_nowhere(target)), folder, workspace)
    except ProgramFailed:
        for path in folder.iterdir():  # there's none: uv may have left its lock
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _for_nowhere(target: WheelTarget) -> tuple[str, ...]:
    return ("--python-platform", _NOWHERE, "--python-version", ".".join(map(str, target.version[:2])))


def _native(tree: Tree) -> Iterator[tuple[str, str]]:
    """Names and versions of the distributions whose wheel is for one platform (tags in ``WHEEL``)."""
    for path, file in tree.files():
        if path.endswith(".dist-info/WHEEL") and not re.search(r"^Tag: .*-any\s*$", _text(file), re.MULTILINE):
            name, _, version = posixpath.basename(posixpath.dirname(path)).removesuffix(".dist-info").partition("-")
            yield name, version


def _less(tree: Tree, pure: Tree, name: str) -> Tree:
    """``tree`` without the platform's wheel of ``name``: its metadata, and extension modules in its folders."""
    folders = {posixpath.dirname(path) for path in pure.entries}
    return tree.filter(
        lambda path, _: (
            not (posixpath.dirname(path) in folders and path.endswith(".so"))
            and not posixpath.basename(posixpath.dirname(path)).startswith(f"{name}-")
        )
    )


def _with_sources_alone(tree: Tree) -> Tree:
    """``tree`` without extension modules that Cython or mypyc made of a source that works as well without them."""
    left: dict[str, Decision] = {}
    for path, file in tree.files():
        folder, name = posixpath.split(path)
        source = tree.entries.get(f"{folder}/{name.partition('.')[0]}.py")
        if name.endswith(".so") and isinstance(source, File) and not _NEEDS_COMPILING.search(_text(source)):
            why = "its source lies beside it, and takes its place: a static executable loads no extension module"
            left[path] = Decision(path, "keep extension module", why, file.content.size)
    if not left:
        return tree
    kept = tree.filter(lambda path, _: path not in left)
    return Tree(kept.entries, (*kept.decisions, *left.values()))


def _hashes(requirements: Requirements, name: str, version: str) -> tuple[str, ...]:
    """The hashes that the lock has for a version, as ``sha256:…``; empty where it has none for other platforms."""
    if not requirements.universal:
        return ()
    if requirements.form == "pylock":
        return hashes_of(requirements.text, name)
    wanted = canonicalize_name(name)
    for line in requirements.text.splitlines():
        pinned, _, rest = line.partition("==")
        if canonicalize_name(pinned.partition("[")[0].strip()) == wanted and rest.split(" ")[0].rstrip(";") == version:
            return tuple(re.findall(r"--hash=(\S+)", rest))
    return ()


def _text(file: File) -> str:
    with file.content.open() as stream:
        return stream.read().decode(errors="replace")
