"""The dependencies: wheels that uv installs into a folder of the cache, as a tree of the image's site-packages."""

from __future__ import annotations

import base64
import csv
import shutil
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cannery.image.content import OnDisk
from cannery.image.tree import LazyTree, Transform, Tree
from cannery.project.installation import install
from cannery.project.uv_errors import explain
from cannery.trees.wheel_files import files_as_json, files_from_json, files_in, paths_below, wheel_tree
from cannery.workspace.digest import Digest
from cannery.workspace.files import OtherFilesError
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.project.requirements import Requirements
    from cannery.python.interpreter import WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["NO_WHEELS", "dependencies", "environment_data", "placed", "scripts_folder"]

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
        if workspace.cache.recall("dependencies", key) is None:
            _installed(requirements, target, workspace, key)
        known = workspace.cache.recall("dependencies", key) or {}

        @cache
        def folder() -> Path:
            made = _installed(requirements, target, workspace, key)
            if workspace.cache.recall("dependencies", key) != known:  # of a project without wheels, built here anew
                raise OtherFilesError(f"what {requirements.source.name} requires", made)
            return made

        return wheel_tree(files_from_json(known), folder, target.site_packages)

    return LazyTree(key, make)


def _installed(requirements: Requirements, target: WheelTarget, workspace: Workspace, key: str) -> Path:
    """The folder of the wheels, installed now or by an earlier build."""
    return workspace.cache.folder(
        "dependencies",
        key,
        lambda path: _install(requirements, path, target, workspace, key),
        whole=lambda path: _is_whole(path, workspace.cache.recall("dependencies", key)),
        waiting=lambda: workspace.progress("waiting for another build to install the dependencies"),
    )


def scripts_folder(wheels: LazyTree, workspace: Workspace) -> Path:
    """The folder of the scripts that uv installed with ``wheels``; they go into no image."""
    # The path of any file is known once all are installed.
    next((file.content.path for _, file in wheels.tree.files() if isinstance(file.content, OnDisk)), None)
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
    workspace.cache.remember("dependencies", key, files_as_json(files_in(folder, digests=True)))


def placed(folder: Path, target: WheelTarget, options: Iterable[str]) -> tuple[str, ...]:
    """The options of uv that have wheels installed into ``folder`` as into an environment of ``target``.

    ``options`` say for which Python, where it's another than that of this machine.
    """
    return ("--python", str(target.executable), "--prefix", str(folder), *options)


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
    if known is None:
        return False
    sizes = {path: Path(folder, path).lstat().st_size for path in paths_below(folder)}
    return sizes == {path: file.size for path, file in files_from_json(known).items() if not file.made}


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
