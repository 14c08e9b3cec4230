"""Copies of a project, in which sessions may leave and remove files without touching the user's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ProjectError
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["copy_project", "remove_sources"]

_MADE = {"build", "dist", "__pycache__", "node_modules"}  # folders that tools make from the project's files


def copy_project(folder: Path, target: Path) -> None:
    """Copy the project in ``folder``, but for folders that are made from it, hidden ones and virtual environments.

    ``.git`` becomes a link to the project's own. Raises :class:`MachineError` where ``target`` can't be written.
    """

    def left_out(here: str, names: Iterable[str]) -> set[str]:
        return {name for name in names if _stays_behind(Path(here, name))}

    with explained(target):
        shutil.copytree(folder, target, symlinks=True, ignore=left_out)
        if (folder / ".git").exists():
            (target / ".git").symlink_to(folder / ".git")  # build backends take versions and lists of files from it


def remove_sources(folder: Path, sources: Mapping[str, bytes]) -> Path:
    """Remove one module's or package's ``sources`` from the project in ``folder``; return the folder they lay in.

    ``sources`` maps paths, as in a wheel, to contents. The folder is the uppermost one in which more than half of them
    lie with the same contents: build backends generate some, and tests may have files of the same names. Raises
    :class:`ProjectError` where there is no such folder.
    """
    with explained(folder):
        for root in _roots(folder, next(iter(sources))):
            same = [name for name, text in sources.items() if _holds(root / name, text)]
            if len(same) * 2 > len(sources):
                for name in same:
                    (root / name).unlink()
                return root
    raise ProjectError(
        f"the source of {next(iter(sources))} lies nowhere in the project, so tests may import something else",
        step="see what the build backend makes of the project: uv build --wheel",
    )


def _stays_behind(path: Path) -> bool:
    made = path.name in _MADE or path.name.startswith(".") or path.name.endswith(".egg-info")
    if path.name == ".git":  # a file where the project is a work tree of another repository, or a submodule
        return True
    return path.is_dir() and (made or (path / "pyvenv.cfg").exists())


def _roots(folder: Path, name: str) -> list[Path]:
    """The folders in ``folder``, itself among them, that have a file at the path ``name``; the uppermost first."""
    depth = name.count("/")
    found = [path.parents[depth] for path in folder.rglob(name)]
    return sorted(found, key=lambda root: (len(root.parts), root))


def _holds(path: Path, text: bytes) -> bool:
    return path.is_file() and path.read_bytes() == text
