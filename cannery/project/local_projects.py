"""Projects of this machine that an app requires (``./lib``, workspace members), as the wheels that their backends make.

A wheel is built once for the same content of the project's folder; builds in which nothing has changed only look at
sizes and times.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cannery.errors import RequirementsError
from cannery.project.uv_errors import explain
from cannery.workspace.files import explained, stamp, stamp_of
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.workspace.workspace import Workspace

__all__ = [
    "LocalWheel",
    "build_wheel",
    "extra_config",
    "files_of",
    "is_project",
    "kept_wheel",
    "local_wheel",
    "revision_of",
    "wheel_metadata",
]

_MARKS = ("pyproject.toml", "setup.py", "setup.cfg")
_MADE = {"__pycache__", "node_modules"}  # folders that tools make from a project's files
_SAID = 12  # lines of a backend that a message shows
_MADE_AT_TOP = {"build", "dist", "target"}


class LocalWheel(msgspec.Struct, frozen=True):
    """A wheel of a project of this machine."""

    path: Path
    sha256: str


def is_project(folder: Path) -> bool:
    """True for a folder that a wheel can be built of."""
    return any((folder / name).is_file() for name in _MARKS)


def local_wheel(folder: Path, python: Path, workspace: Workspace) -> LocalWheel:
    """The wheel of the project in ``folder``, built for ``python`` where its content is new.

    Raises :class:`RequirementsError` for a folder without a project, and for one that its backend doesn't build.
    """
    folder = folder.resolve()
    if not is_project(folder):
        raise RequirementsError(
            f"{folder} is required, and is no project",
            evidence=f"looked for {', '.join(_MARKS)}",
            step="correct the path, or write a pyproject.toml there",
        )
    looks = key_of("look of a project", code_key(__name__), str(folder), str(python), _looks(folder))
    known = workspace.cache.recall("local-projects", looks)
    if known is None:
        known = {"content": key_of("local wheel", code_key(__name__), folder.name, str(python), _contents(folder))}
        workspace.cache.remember("local-projects", looks, known)
    built = workspace.cache.folder(
        "local-wheels", known["content"], lambda out: build_wheel(folder, out, python, workspace)
    )
    return kept_wheel(built)


def kept_wheel(folder: Path) -> LocalWheel:
    """The wheel in a ``folder`` that :func:`build_wheel` has filled."""
    (path,) = folder.glob("*.whl")
    return LocalWheel(path, (folder / "sha256").read_text())


def wheel_metadata(wheel: LocalWheel) -> str:
    """The text of a wheel's ``METADATA``, which has what it requires."""
    import zipfile  # noqa: PLC0415  # slow to import, and hardly any app has such projects

    with zipfile.ZipFile(wheel.path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name).decode(errors="replace")


def files_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of a project, by their paths relative to it, less what tools make from them."""
    for here, folders, names in os.walk(folder):
        at_top = here == str(folder)
        folders[:] = sorted(name for name in folders if not _is_made(Path(here, name), at_top=at_top))
        for name in sorted(names):
            if not name.endswith((".pyc", ".pyo")):
                path = Path(here, name)
                yield path.relative_to(folder).as_posix(), path


def revision_of(folder: Path) -> list[object]:
    """What versions are derived from in a repository of Git: its commit and its tags; empty where there is none."""
    git = next((above / ".git" for above in (folder, *folder.parents) if (above / ".git").is_dir()), None)
    if git is None:
        return []
    try:
        head = (git / "HEAD").read_text().strip()
        branch = git / head.removeprefix("ref: ")
        commit = branch.read_text().strip() if head.startswith("ref: ") and branch.is_file() else head
        return [commit, stamp(git / "packed-refs"), sorted(tag.name for tag in (git / "refs" / "tags").iterdir())]
    except OSError:
        return []


def extra_config(folder: Path) -> dict[str, str]:
    """The environment that keeps setuptools from writing into a project: it builds in ``folder``, which is empty.

    (setuptools.pypa.io, ``DIST_EXTRA_CONFIG``) What is left in a project's ``build`` from earlier would go into its
    wheels, modules that are gone among it.
    """
    for name in ("build", "egg-info"):
        (folder / name).mkdir(parents=True)
    config = folder / "extra.cfg"
    config.write_text(
        f"[build]\nbuild_base = {folder / 'build'}\n[egg_info]\negg_base = {folder / 'egg-info'}\n", encoding="utf-8"
    )
    epoch = "315532800"  # the earliest time that a zip archive can hold
    return {"DIST_EXTRA_CONFIG": str(config), "SOURCE_DATE_EPOCH": epoch, "PYTHONDONTWRITEBYTECODE": "1"}


def _looks(folder: Path) -> list[object]:
    with explained(folder, "read"):
        stamps = [(name, stamp_of(path.lstat())) for name, path in files_of(folder)]
    return [stamps, revision_of(folder)]


def _contents(folder: Path) -> list[object]:
    digests = []
    with explained(folder, "read"):
        for name, path in files_of(folder):
            if path.is_file():
                with path.open("rb") as stream:
                    digests.append((name, hashlib.file_digest(stream, "sha256").hexdigest()))
    return [digests, revision_of(folder)]


def _is_made(path: Path, *, at_top: bool) -> bool:
    name = path.name
    made = name in _MADE or name.startswith(".") or name.endswith(".egg-info") or (at_top and name in _MADE_AT_TOP)
    return made or (path / "pyvenv.cfg").exists()


def build_wheel(folder: Path, out: Path, python: Path, workspace: Workspace) -> None:
    """Build the wheel of the project in ``folder`` into ``out``, with its SHA-256 beside it; raises as above."""
    workspace.progress(f"building {folder.name}")
    with workspace.cache.scratch() as scratch:
        command = [find_uv(), "build", "--wheel", f"--python={python}", "--color=never", f"--out-dir={out}"]
        try:
            workspace.run([*command, str(folder)], env=extra_config(scratch / "setuptools"))
        except ProgramFailed as error:
            if error.returncode < 0:
                raise  # a signal ended it
            step = f"see what its build backend says: uv build --wheel {folder}"
            told = explain(error, f"{folder} can't be built as a wheel", step)
            said = error.stderr.strip().splitlines()[-_SAID:]  # the backend's words stand before uv's
            raise type(told)(told.what, evidence="\n".join(said), step=told.step) from error
    (wheel,) = out.glob("*.whl")
    with wheel.open("rb") as stream:
        (out / "sha256").write_text(hashlib.file_digest(stream, "sha256").hexdigest())
