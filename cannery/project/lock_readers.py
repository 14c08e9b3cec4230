"""Locks of uv, read by uv, and locks in the format of PEP 751."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from cannery.project.pylock import all_hashed, with_absolute_paths
from cannery.project.requirements import Reading, Requirements, contents_of, each, uv
from cannery.project.requirements_file import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.requirements import Wanted

__all__ = [
    "EXPORT",
    "OF_PROJECT",
    "STEP",
    "from_pylock",
    "from_script_lock",
    "from_uv",
    "locked_option",
    "member_option",
]

EXPORT = ("export", "--no-header")
OF_PROJECT = ("--no-emit-project", "--no-default-groups")
STEP = "run `uv lock`; UV_FROZEN=1 takes the lock as it is"


def from_uv(wanted: Wanted) -> Reading:
    """``uv.lock``, which may be that of a workspace that the project is a member of, and lie above it."""
    root = wanted.file.path.parent
    described = {root / "pyproject.toml", wanted.folder / "pyproject.toml"}
    return Reading(contents_of(wanted.file.path, *described), partial(_ask_uv, wanted, root, wanted.file.path))


def _ask_uv(wanted: Wanted, root: Path, lock: Path) -> Requirements:
    script = wanted.file.path != lock
    text = uv(
        wanted,
        *EXPORT,
        "--format=pylock.toml",
        *locked_option(),
        *((f"--script={wanted.file.path}",) if script else (*OF_PROJECT, *member_option(wanted.folder, root))),
        f"--python={wanted.python}",
        *each("--extra", wanted.extras),
        *each("--group", wanted.groups),
        step=STEP,
        cwd=root,  # relative folders of indexes are meant from there
    )
    text = with_absolute_paths(text, lock.name, root)
    return Requirements(lock, text, "pylock", locked=True, universal=True, hashed=all_hashed(text))


def locked_option() -> tuple[str, ...]:
    """The option that has uv check that a lock is up to date, unless its own variable says to skip that."""
    return () if os.environ.get("UV_FROZEN") else ("--locked",)


def member_option(folder: Path, root: Path) -> tuple[str, ...]:
    """The option that names the workspace's member in ``folder``; none for the project in ``root`` itself."""
    if folder == root:
        return ()
    from cannery.project.pyproject import read_project  # noqa: PLC0415  # hardly any lock is a workspace's

    return (f"--package={read_project(folder).distribution or folder.name}",)


def from_script_lock(wanted: Wanted) -> Reading | None:
    """The lock that ``uv lock --script`` wrote beside a script; None where there is none."""
    lock = wanted.file.path.with_name(f"{wanted.file.path.name}.lock")
    if not lock.is_file():
        return None
    return Reading(contents_of(lock, wanted.file.path), partial(_ask_uv, wanted, wanted.folder, lock))


def from_pylock(wanted: Wanted) -> Reading:
    """``pylock.toml`` as it is: uv reads it when it installs (PEP 751)."""
    path = wanted.file.path
    options = (*each("--extra", wanted.extras), *each("--group", wanted.groups))
    return Reading(None, partial(_as_it_is, path), options)


def _as_it_is(path: Path) -> Requirements:
    text = with_absolute_paths(read_text(path), path.name, path.parent)
    return Requirements(path, text, "pylock", locked=True, universal=True, hashed=True)
