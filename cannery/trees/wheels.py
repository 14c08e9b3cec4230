"""The dependencies: wheels that uv installs into a folder of the cache, as a tree of the image's site-packages."""

from __future__ import annotations

import os
import posixpath
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.image.content import Inline, OnDisk
from cannery.image.tree import Entry, File, LazyTree, Transform, Tree
from cannery.project.installation import install
from cannery.project.uv_errors import explain
from cannery.trees.top_levels import TOP_LEVELS, top_levels
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.project.requirements import Requirements
    from cannery.python.interpreter import WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["NO_WHEELS", "dependencies", "environment_data", "installed_tree", "placed"]

# Files that an installer writes for itself: some name this machine, and RECORD names sources that are gone.
_INSTALLERS_OWN = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"}
_SITE = re.compile(r"lib(64)?/python3\.\d+t?/(site|dist)-packages/")  # of an environment
_UNUSED = {"bin", "include"}  # console scripts, and headers: nothing that a program imports or reads

NO_WHEELS: Final = LazyTree("no wheels", Tree)  # of an app that requires nothing


def dependencies(requirements: Requirements, target: WheelTarget, workspace: Workspace) -> LazyTree:
    """The pinned ``requirements`` as installed for ``target``; uv installs them when the tree is asked for.

    The tree raises :class:`RequirementsError` then, where a wheel can't be had or has another hash than the lock says.
    """
    key = key_of(
        "dependencies",
        code_key(__name__),
        requirements.key,
        target.version,
        str(target.platform),
        target.site_packages,
        target.options,
    )

    def make() -> Tree:
        folder = workspace.cache.folder(
            "dependencies",
            key,
            lambda path: _install(requirements, path, target, workspace, key),
            whole=lambda path: workspace.cache.recall("dependencies", key) == _sizes(path),
            waiting=lambda: workspace.progress("waiting for another build to install the dependencies"),
        )
        return installed_tree(folder, target.site_packages)

    return LazyTree(key, make)


def _install(requirements: Requirements, folder: Path, target: WheelTarget, workspace: Workspace, key: str) -> None:
    workspace.progress("installing the dependencies")
    source = requirements.source.name
    try:
        install(requirements, placed(folder, target, target.options), folder, workspace)
    except ProgramFailed as error:
        raise explain(error, f"the requirements of {source} can't be installed", f"correct {source}") from error
    workspace.cache.remember("dependencies", key, _sizes(folder))


def placed(folder: Path, target: WheelTarget, options: Iterable[str]) -> tuple[str, ...]:
    """The options of uv that have wheels installed into ``folder`` as into an environment of ``target``.

    ``options`` say for which Python, where it's another than that of this machine.
    """
    return ("--python", str(target.executable), "--prefix", str(folder), *options)


def _sizes(folder: Path) -> dict[str, int]:
    """The size of each file below ``folder``, by which a folder that was damaged since is told from a whole one."""
    paths = (Path(here, name) for here, _, names in os.walk(folder) for name in names)
    return {path.relative_to(folder).as_posix(): path.lstat().st_size for path in paths}


def environment_data(wheels: LazyTree, site_packages: str, workspace: Workspace) -> LazyTree:
    """The part of ``wheels`` that lies in the environment and in none of its packages: ``share/…``; hardly any has it.

    Whether there is such a part is remembered, so that the wheels needn't be looked at again.
    """
    part = Transform(key_of("environment data", code_key(__name__), site_packages), partial(_beside, site_packages))
    data = wheels | part
    known = workspace.cache.recall("environment-data", data.key)
    if known is None:
        known = {"any": bool(data.tree.entries)}
        workspace.cache.remember("environment-data", data.key, known)
    return data if known["any"] else NO_WHEELS


def _beside(site_packages: str, tree: Tree) -> Tree:
    return tree.filter(lambda path, _: not path.startswith(f"{site_packages}/"))


def installed_tree(folder: Path, site_packages: str) -> Tree:
    """The files that uv installed into ``folder``, as a tree of the image's ``site_packages``, and of its prefix.

    In the prefix lies what wheels have as data of an environment: ``share/…``, ``etc/…``.
    """
    prefix = site_packages.rsplit("/", maxsplit=3)[0]
    entries: dict[str, Entry] = {}
    for here, folders, names in os.walk(folder):
        at_top = here == str(folder)
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not (at_top and name in _UNUSED))
        of_installer = here.endswith(".dist-info")
        for name in sorted(names):
            if (of_installer and name in _INSTALLERS_OWN) or (at_top and name == ".lock"):
                continue
            path = Path(here, name)
            status = path.stat()
            mode = 0o755 if status.st_mode & 0o100 else 0o644
            relative = path.relative_to(folder).as_posix()
            inner = _SITE.match(relative)
            place = f"{site_packages}/{relative[inner.end() :]}" if inner else f"{prefix}/{relative}"
            entries[place] = File(OnDisk(path, status.st_size), mode)
            if of_installer and name == "METADATA" and TOP_LEVELS not in names and "RECORD" in names:
                entries[f"{posixpath.dirname(place)}/{TOP_LEVELS}"] = File(Inline(top_levels(path.with_name("RECORD"))))
    return Tree(entries)
