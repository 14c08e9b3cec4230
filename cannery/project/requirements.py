"""An app's requirements, from the file that has them to the text that ``uv pip install`` takes."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.image.content import OnDisk
from cannery.project.extras import check_names
from cannery.project.requirements_file import hashed, local_files, locked, nested_files, nested_text, read_text
from cannery.project.uv_errors import explain
from cannery.workspace.digest import Digest
from cannery.workspace.keys import key_of
from cannery.workspace.process import ProgramFailed, find_uv, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from cannery.project.app import RequirementsFile
    from cannery.workspace.process import Runner

__all__ = ["Requirements", "inputs", "read_requirements"]

_FORMAT = ("--format=requirements.txt", "--no-header", "--no-annotate")
_EXPORT = ("export", *_FORMAT, "--no-editable", "--no-emit-project", "--no-default-groups")
_COMPILE = ("pip", "compile", *_FORMAT, "--generate-hashes", "--no-build")
_POETRY = ("--from=poetry>=2", "--with=poetry-plugin-export>=1.9", "poetry")
_POETRY_EXPORT = (*_POETRY, "export", "--format=requirements.txt", "--no-interaction", "--no-ansi")


@dataclass(frozen=True, slots=True)
class Requirements:
    """Requirements in a form that ``uv pip install`` takes."""

    source: Path  # the lock or the file that they were read from
    text: str  # in the format of pip's requirements files, or of pylock.toml (PEP 751)
    locked: bool  # the file names one version of each
    hashed: bool  # each has a hash
    options: tuple[str, ...] = ()  # more options for uv
    local: tuple[str, ...] = ()  # the digests of this machine's files that the text names

    @property
    def key(self) -> str:
        """A name for all that decides about what is installed."""
        return key_of(self.text, self.hashed, self.options, self.local)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The arguments of :func:`read_requirements`."""

    file: RequirementsFile
    project: bool
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    python: Path | None
    target: tuple[str, ...]
    run: Runner


def read_requirements(
    file: RequirementsFile,
    *,
    project: bool = True,
    extras: Iterable[str] = (),
    groups: Iterable[str] = (),
    python: Path | None = None,
    target: tuple[str, ...] = (),
    run: Runner = run,
) -> Requirements:
    """The project's own requirements, unless ``project`` is false, and those of ``extras`` and ``groups`` (PEP 735).

    Requirements that no lock pins are resolved for ``python``, or for another one to which ``target``, options of uv,
    leads. Raises :class:`ConfigurationError` for an extra or a group that doesn't exist, :class:`RequirementsError` for
    a lock that is out of date or unreadable.
    """
    wanted = _Wanted(file, project, tuple(extras), tuple(groups), python, target, run)
    if not project and wanted.extras:
        raise ConfigurationError(
            f"the extra {wanted.extras[0]} belongs to the project, which is left out",
            step="take the project in as well (project = true), or leave out the extras",
        )
    if not project and not wanted.groups:
        raise ConfigurationError(
            f"nothing is asked of {file.path.name}", step="take the project in (project = true), or name a group"
        )
    check_names(file, wanted.extras, wanted.groups)
    return _READERS[file.kind](wanted)


def inputs(file: RequirementsFile) -> tuple[Path, ...]:
    """The files whose contents decide what :func:`read_requirements` returns for ``file``."""
    match file.kind:
        case "requirements":
            return (*nested_files(file.path), *local_files(file.path))
        case "uv" | "poetry":
            return (file.path, file.path.with_name("pyproject.toml"))
        case "pylock" | "project":
            return (file.path,)


def _from_uv(wanted: _Wanted) -> Requirements:
    frozen = os.environ.get("UV_FROZEN")  # uv's own way to skip the check that the lock is up to date
    text = _uv(
        wanted,
        *_EXPORT,
        *(() if frozen else ("--locked",)),
        *_python(wanted),
        *_each("--extra", wanted.extras),
        *_each("--group" if wanted.project else "--only-group", wanted.groups),
        step="run `uv lock`; UV_FROZEN=1 takes the lock as it is",
    )
    return Requirements(wanted.file.path, text, locked=True, hashed=hashed(text))


def _from_poetry(wanted: _Wanted) -> Requirements:
    """Read ``poetry.lock`` by Poetry itself, in an environment that uv makes and keeps (uv tool run)."""
    text = _uv(
        wanted,
        *("tool", "run", f"--python={sys.executable}"),
        *_POETRY_EXPORT,
        *_each("--extras", wanted.extras),
        *_each("--with" if wanted.project else "--only", wanted.groups),
        step="run `poetry lock` if the lock is out of date",
    )
    return Requirements(wanted.file.path, text, locked=True, hashed=hashed(text))


def _from_pylock(wanted: _Wanted) -> Requirements:
    """Take ``pylock.toml`` as it is: uv reads it when it installs (PEP 751)."""
    if not wanted.project:
        raise ConfigurationError(
            f"{wanted.file.path.name} cannot be read without the project's own requirements",
            evidence="PEP 751 marks what extras and groups add, not what is there without them",
            step="take the project in (project = true)",
        )
    path = wanted.file.path
    options = ("--preview-features=pylock", *_each("--extra", wanted.extras), *_each("--group", wanted.groups))
    return Requirements(path, read_text(path), locked=True, hashed=True, options=options)


def _from_requirements(wanted: _Wanted) -> Requirements:
    """Take the file as it is where each requirement has a hash, and resolve it otherwise."""
    path = wanted.file.path
    text = nested_text(path)
    if hashed(text):
        return Requirements(path, text, locked=True, hashed=True, local=_local(path))
    resolved = _uv(wanted, *_COMPILE, path.name, *_python(wanted), *wanted.target, step=f"correct {path.name}")
    return Requirements(path, resolved, locked(text), hashed(resolved), local=_local(path))


def _local(path: Path) -> tuple[str, ...]:
    return tuple(str(Digest.of_content(OnDisk(file, file.stat().st_size))) for file in local_files(path))


def _from_project(wanted: _Wanted) -> Requirements:
    """Resolve the dependencies of ``[project]`` to the versions that the index has today."""
    name = wanted.file.path.name
    text = _uv(
        wanted,
        *_COMPILE,
        *((name,) if wanted.project else ()),
        *_python(wanted),
        *wanted.target,
        *_each("--extra", wanted.extras),
        *_each("--group", [f"{name}:{group}" for group in wanted.groups]),
        step="correct the dependencies in pyproject.toml, or see that the index can be reached",
    )
    return Requirements(wanted.file.path, text, locked=False, hashed=hashed(text))


_READERS: Mapping[str, Callable[[_Wanted], Requirements]] = {
    "uv": _from_uv,
    "poetry": _from_poetry,
    "pylock": _from_pylock,
    "requirements": _from_requirements,
    "project": _from_project,
}


def _uv(wanted: _Wanted, *arguments: str, step: str) -> str:
    """Run uv in the project's folder and return its output; raises with ``step`` as :func:`explain` says."""
    env = {"UV_PYTHON_DOWNLOADS": "never", "POETRY_VIRTUALENVS_CREATE": "false"}  # neither is needed to read a lock
    try:
        return wanted.run([find_uv(), *arguments], cwd=wanted.file.path.parent, env=env).stdout
    except ProgramFailed as error:
        raise explain(error, f"cannot tell the requirements from {wanted.file.path.name}", step) from error


def _python(wanted: _Wanted) -> tuple[str, ...]:
    return (f"--python={wanted.python}",) if wanted.python else ()


def _each(option: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{option}={value}" for value in values)
