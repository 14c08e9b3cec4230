"""Copies of a project, to do in them what would leave files in the user's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ProjectError
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["copy_project", "remove_sources"]

_MADE = {"build", "dist", "__pycache__", "node_modules"}  # folders that are made from the project's own files


def copy_project(folder: Path, target: Path) -> None:
    """Copy a project without what is made from it, hidden folders and environments; its history is linked."""

    def left_out(here: str, names: Iterable[str]) -> set[str]:
        return {name for name in names if _stays_behind(Path(here, name))}

    with explained(target):
        shutil.copytree(folder, target, symlinks=True, ignore=left_out)
        if (folder / ".git").exists():
            (target / ".git").symlink_to(folder / ".git")  # versions and lists of files may come from it


def remove_sources(folder: Path, sources: Mapping[str, bytes]) -> Path:
    """Remove from ``folder`` the sources of one top-level module or package; returns the folder that they lay in.

    Where that is, they show themselves: most of them must lie there with these contents. Some may be missing, as build
    backends generate files, and a file of that name may lie elsewhere, as tests often have one. Raises
    :class:`ProjectError` where they lie nowhere.
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
    return path.is_dir() and (made or (path / "pyvenv.cfg").exists())


def _roots(folder: Path, name: str) -> list[Path]:
    """The folders below ``folder`` that have a file ``name``, the uppermost first."""
    depth = name.count("/")
    found = [path.parents[depth] for path in folder.rglob(name)]
    return sorted(found, key=lambda root: (len(root.parts), root))


def _holds(path: Path, text: bytes) -> bool:
    return path.is_file() and path.read_bytes() == text
