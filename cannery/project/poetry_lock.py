"""``poetry.lock``, read by Poetry itself."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Final

from cannery.project.line_readers import ANY_INDEX, hashed_text
from cannery.project.poetry_sources import guarded_sources
from cannery.project.requirements import Reading, Requirements, contents_of, each
from cannery.project.requirements_file import parse_lines
from cannery.project.uv_errors import explain
from cannery.workspace.keys import code_key, key_of, package_file
from cannery.workspace.process import ProgramFailed, find_uv
from cannery.workspace.unaltered import unaltered_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cannery.project.requirements import Wanted
    from cannery.workspace.workspace import Workspace

__all__ = ["export", "from_poetry", "poetry"]

_PINS: Final = package_file("project/poetry.txt")
_EXPORT: Final = ("export", "--format=requirements.txt", "--no-interaction", "--no-ansi")
_STEP: Final = "run `poetry lock` if the lock is out of date"
_ENVIRONMENT: Final = {"UV_PYTHON_DOWNLOADS": "never", "POETRY_VIRTUALENVS_CREATE": "false"}  # no lock needs either


def from_poetry(wanted: Wanted) -> Reading:
    """``poetry.lock``, read by Poetry in an environment of the cache."""
    path = wanted.file.path
    pyproject = path.with_name("pyproject.toml")
    return Reading(contents_of(path, pyproject), partial(_ask, wanted), secrets="\n".join(guarded_sources(pyproject)))


def export(folder: Path, options: Iterable[str], workspace: Workspace) -> str:
    """The requirements in the ``poetry.lock`` of ``folder``, as a requirements file.

    Raises as :func:`explain` says, where Poetry can't be had or refuses.
    """
    try:
        command = [str(poetry(workspace)), *_EXPORT, *options]
        return workspace.run(command, cwd=folder, env=_ENVIRONMENT).stdout
    except ProgramFailed as error:
        raise explain(error, "cannot tell the requirements from poetry.lock", _STEP) from error


def poetry(workspace: Workspace) -> Path:
    """The program, installed once in the versions of ``poetry.txt`` and from files with the hashes there."""

    def fill(folder: Path) -> None:
        workspace.progress("installing Poetry, to read poetry.lock")
        make = [find_uv(), "venv", "--quiet", "--no-project", "--allow-existing", "--relocatable"]
        workspace.run([*make, "--python", sys.executable, str(folder)])
        options = ("--no-deps", "--require-hashes", "--no-build", "--color", "never")
        inside = ("--python", str(folder / "bin" / "python3"))
        workspace.run([find_uv(), "pip", "install", *inside, *options, "--requirements", str(_PINS)], env=_ENVIRONMENT)

    key = key_of("poetry", code_key(__name__), sys.executable, sys.version)
    waiting = partial(workspace.progress, "waiting for another build to install Poetry")
    folder = unaltered_folder(workspace.cache, "poetry", key, fill, without={"__pycache__"}, waiting=waiting)
    return folder / "bin" / "poetry"


def _ask(wanted: Wanted) -> Requirements:
    path = wanted.file.path
    chosen = (*each("--extras", wanted.extras), *each("--with", wanted.groups))
    lines = parse_lines(export(wanted.folder, chosen, wanted.workspace), path)
    return Requirements(
        path,
        hashed_text(wanted.folder, lines),
        "requirements",
        locked=True,
        universal=True,
        hashed=all(line.hashes for line in lines.lines if line.path is None),
        options=(*lines.options, ANY_INDEX),
    )
