"""Wheels that fit a program with musl, pure or for musl, in place of those for glibc by which versions were chosen."""

from __future__ import annotations

import posixpath
import re
import shutil
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace
from packaging.utils import canonicalize_name

from cannery.image.tree import Decision, File, LazyTree, Tree
from cannery.project.installation import install
from cannery.project.pylock import hashes_of
from cannery.trees.top_levels import TOP_LEVELS
from cannery.trees.wheel_files import installed_tree
from cannery.trees.wheels import placed
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.image.tree import Entry
    from cannery.project.requirements import Requirements
    from cannery.python.interpreter import WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["Accelerators", "fitting_wheels"]

# A platform that hardly any wheel is for, so that uv takes a wheel for any. Environment markers don't meet it: the
# requirements are pinned by then.
_NOWHERE = "wasm32-pyodide2024"
_LIBRARY = re.compile(r"\.so(?:\.|$)")
# Sources that only work compiled (Cython's pure Python mode), and those that do nothing but load the compiled module
_NEEDS_COMPILING = re.compile(r"^(?:import cython|from cython\b.* import|cimport )|\b__bootstrap__\b", re.MULTILINE)


class Accelerators(Enum):
    """Which extension modules come in, of those that a program can do without."""

    NONE = "none"
    WITHOUT_A_PURE_WHEEL = "those of projects that publish no pure wheel"
    ALL = "all"


def fitting_wheels(
    requirements: Requirements,
    wheels: LazyTree,
    target: WheelTarget,
    musl: tuple[str, ...],
    accelerators: Accelerators,
    workspace: Workspace,
) -> LazyTree:
    """The dependencies in ``wheels``, each of one platform's as a wheel of the same version that fits musl.

    That is its pure wheel where there is one, or else the one for musl, which the options ``musl`` have uv look for;
    the other way round for all ``accelerators``. Where there's neither, it stays as it is. With no accelerators,
    extension modules are left out that were compiled from a source which lies beside them; so are always those that
    nothing can load.
    """
    pure = _for_nowhere(target)
    order = (musl, pure) if accelerators is Accelerators.ALL else (pure, musl)
    key = key_of("fitting wheels", code_key(__name__), wheels.key, musl, accelerators.value)

    def make() -> Tree:
        tree = wheels.tree
        for name, version in sorted(_native(tree)):
            for options in order:
                found = _wheel(requirements, name, version, options, target, workspace)
                if found.entries and (options == musl or not list(_native(found))):
                    tree = _less(tree, found, name, version) + found
                    break
        return _with_sources_alone(tree, accelerators)

    return LazyTree(key, make)


def _wheel(
    requirements: Requirements,
    name: str,
    version: str,
    options: tuple[str, ...],
    target: WheelTarget,
    workspace: Workspace,
) -> Tree:
    """The wheel that uv finds by ``options``; empty where there is none."""
    hashes = _hashes(requirements, name, version)
    told = hashes or requirements.key  # without, another index may have another file of that version
    key = key_of("fitting wheel", code_key(__name__), name, version, told, target.version, options)
    fill = partial(_install, requirements, f"{name}=={version}", hashes, options, target=target, workspace=workspace)
    return installed_tree(workspace.cache.folder("fitting-wheels", key, fill), target.site_packages)


def _install(
    requirements: Requirements,
    pin: str,
    hashes: tuple[str, ...],
    options: tuple[str, ...],
    folder: Path,
    target: WheelTarget,
    workspace: Workspace,
) -> None:
    """Install the wheel into ``folder``, which stays empty where there is none."""
    workspace.progress(f"looking for a wheel of {pin.replace('==', ' ')} that fits")
    text = " ".join([pin, *(f"--hash={each}" for each in hashes)])
    general = tuple(each for each in requirements.options if not each.startswith(("--extra=", "--group=")))
    asked = replace(
        requirements, text=f"{text}\n", form="requirements", hashed=bool(hashes), complete=True, options=general
    )
    try:
        install(asked, placed(folder, target, options), folder, workspace)
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


def _less(tree: Tree, other: Tree, name: str, version: str) -> Tree:
    """``tree`` without one platform's wheel of ``name``: its metadata, and the libraries where the ``other`` has files.

    Those at the top, where all distributions lie, are told by the names that this one has there.
    """
    folders = {posixpath.dirname(path) for path in other.entries}
    info = f"{name}-{version}.dist-info"
    tops = {top for path, file in tree.files() if path.endswith(f"/{info}/{TOP_LEVELS}") for top in _text(file).split()}

    def stays(path: str, _: Entry) -> bool:
        folder, base = posixpath.split(path)
        inside = posixpath.basename(folder)
        if inside in {info, f"{name}.libs"}:
            return False
        own = inside != "site-packages" or base.partition(".")[0] in tops
        return not (own and folder in folders and _LIBRARY.search(base))

    return tree.filter(stays)


def _with_sources_alone(tree: Tree, accelerators: Accelerators) -> Tree:
    """``tree`` without extension modules that Cython or mypyc made of a source that works as well without them.

    But for no accelerators, these are those alone which aren't for musl.
    """
    left: dict[str, Decision] = {}
    why = "its source lies beside it, and takes its place: "
    why += "accelerators = false" if accelerators is Accelerators.NONE else "it's for another C library"
    for path, file in tree.files():
        folder, name = posixpath.split(path)
        source = tree.entries.get(f"{folder}/{name.partition('.')[0]}.py")
        if not name.endswith(".so") or not isinstance(source, File) or _NEEDS_COMPILING.search(_text(source)):
            continue
        if accelerators is Accelerators.NONE or "-linux-gnu" in name:
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
