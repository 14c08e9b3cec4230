"""The dependencies: wheels that uv installs into a folder of the cache, as a tree of the image's site-packages."""

from __future__ import annotations

import base64
import csv
import os
import posixpath
import re
import shutil
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import RequirementsError
from cannery.image.content import Inline, OnDisk
from cannery.image.layer import WHITEOUT
from cannery.image.tree import Entry, File, LazyTree, Transform, Tree
from cannery.project.installation import install
from cannery.project.uv_errors import explain
from cannery.trees.top_levels import TOP_LEVELS, top_levels
from cannery.workspace.digest import Digest
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.project.requirements import Requirements
    from cannery.python.interpreter import WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["NO_WHEELS", "dependencies", "environment_data", "installed_tree", "placed", "scripts_folder"]

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
            whole=lambda path: _is_whole(path, workspace.cache.recall("dependencies", key)),
            waiting=lambda: workspace.progress("waiting for another build to install the dependencies"),
        )
        known = workspace.cache.recall("dependencies", key) or {}
        return installed_tree(
            folder, target.site_packages, {path: Digest(digest) for path, (_, digest) in known.items()}
        )

    return LazyTree(key, make)


def scripts_folder(wheels: LazyTree, workspace: Workspace) -> Path:
    """The folder of the scripts that uv installed with ``wheels``, once their tree was made; they go into no image."""
    return workspace.cache.root / "dependencies" / wheels.key / "bin"


def _install(requirements: Requirements, folder: Path, target: WheelTarget, workspace: Workspace, key: str) -> None:
    workspace.progress("installing the dependencies")
    source = requirements.source.name
    where = placed(folder, target, target.options)
    try:
        install(requirements, where, folder, workspace)
        if damaged := _damaged(folder):
            workspace.progress(f"uv's cache is damaged ({damaged}): fetching the dependencies anew")
            shutil.rmtree(folder)
            folder.mkdir()
            install(requirements, (*where, "--no-cache"), folder, workspace)
    except ProgramFailed as error:
        raise explain(error, f"the requirements of {source} can't be installed", f"correct {source}") from error
    files = {path: (Path(folder, path).lstat().st_size, _digest(Path(folder, path))) for path in _paths(folder)}
    workspace.cache.remember("dependencies", key, files)


def placed(folder: Path, target: WheelTarget, options: Iterable[str]) -> tuple[str, ...]:
    """The options of uv that have wheels installed into ``folder`` as into an environment of ``target``.

    ``options`` say for which Python, where it's another than that of this machine.
    """
    return ("--python", str(target.executable), "--prefix", str(folder), *options)


def _paths(folder: Path) -> Iterator[str]:
    """The files below ``folder``, relative to it."""
    for here, _, names in os.walk(folder):
        yield from (Path(here, name).relative_to(folder).as_posix() for name in names)


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


def _is_whole(folder: Path, known: Mapping[str, Any] | None) -> bool:
    """True if ``folder`` has the files that it had when they were installed, by their sizes."""
    sizes = {path: Path(folder, path).lstat().st_size for path in _paths(folder)}
    return known is not None and sizes == {path: size for path, (size, _) in known.items()}


def _digest(path: Path) -> str:
    return Digest.of_content(OnDisk(path, 0)).hex


def _damaged(folder: Path) -> str:
    """The path of a file that isn't the one that its wheel brought (packaging.python.org, RECORD); empty for none.

    uv links files from its cache, where something may have written to them since it compared the wheel's own hash.
    """
    for record in sorted(folder.rglob("*.dist-info/RECORD")):
        with record.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
            try:
                rows = [row for row in csv.reader(stream) if len(row) > 1]
            except csv.Error:
                return record.relative_to(folder).as_posix()
        for path, recorded, *_ in rows:
            file = record.parent.parent / path.replace("\0", "")
            if recorded.startswith("sha256=") and file.is_file() and _differs(file, recorded):
                return path
    return ""


def _differs(file: Path, recorded: str) -> bool:
    digest = base64.urlsafe_b64encode(bytes.fromhex(_digest(file))).decode().rstrip("=")
    return digest != recorded.removeprefix("sha256=").rstrip("=")


def installed_tree(folder: Path, site_packages: str, digests: Mapping[str, Digest] = MappingProxyType({})) -> Tree:
    """The files that uv installed into ``folder``, as a tree of the image's ``site_packages``, and of its prefix.

    ``digests`` are those that are known, by paths relative to ``folder``.

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
            if name.startswith(WHITEOUT):
                raise RequirementsError(
                    f"a wheel holds {name!r}, and a layer takes such a name for the removal of another file",
                    evidence=str(Path(here, name).relative_to(folder)),
                    step="don't trust the wheel, or tell who made it",
                )
            path = Path(here, name)
            status = path.stat()
            mode = 0o755 if status.st_mode & 0o100 else 0o644
            relative = path.relative_to(folder).as_posix()
            inner = _SITE.match(relative)
            place = f"{site_packages}/{relative[inner.end() :]}" if inner else f"{prefix}/{relative}"
            if of_installer and name == "METADATA" and TOP_LEVELS not in names and "RECORD" in names:
                entries[f"{posixpath.dirname(place)}/{TOP_LEVELS}"] = File(Inline(top_levels(path.with_name("RECORD"))))
            entries[place] = File(OnDisk(path, status.st_size, digests.get(relative)), mode)
    return Tree(entries)
