"""From where an app's requirements are written to what ``uv pip install`` takes."""

from __future__ import annotations

import difflib
import os
import sys
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from cannery.errors import ConfigurationError, RequirementsError
from cannery.image.content import OnDisk
from cannery.project.requirements_file import hashed, local_files, locked, nested_files, nested_text, read_text
from cannery.project.uv import explain
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
    """What is to be installed, as uv takes it."""

    source: Path  # the lock or the file that says so
    text: str  # in the format of pip's requirements files, or of pylock.toml (PEP 751)
    locked: bool  # every version was chosen before
    hashed: bool  # every requirement carries a hash
    options: tuple[str, ...] = ()  # what else uv must be told
    local: tuple[str, ...] = ()  # the digests of files on this machine that the text names

    @property
    def key(self) -> str:
        """What decides about what is installed."""
        return key_of(self.text, self.hashed, self.options, self.local)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file, and which of the requirements in it."""

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
    """Read the project's own requirements (unless not ``project``) and those of its extras and groups.

    ``python`` is the interpreter that unlocked requirements are resolved for; ``target`` tells uv where it's for
    another one. Raises :class:`ConfigurationError` for
    an extra or a group that is not there, :class:`RequirementsError` for a lock that is out of date or unreadable.
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
    _check_names(wanted)
    return _READERS[file.kind](wanted)


def inputs(file: RequirementsFile) -> tuple[Path, ...]:
    """The files whose contents decide what :func:`read_requirements` says."""
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
    """Run Poetry in an environment of its own, which uv keeps: it is too much to install for this alone."""
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
    """Leave the file to uv, which reads it itself."""
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
    """Take the file as it is when every requirement carries a hash; resolve it otherwise."""
    path = wanted.file.path
    text = nested_text(path)
    if hashed(text):
        return Requirements(path, text, locked=True, hashed=True, local=_local(path))
    resolved = _uv(wanted, *_COMPILE, path.name, *_python(wanted), *wanted.target, step=f"correct {path.name}")
    return Requirements(path, resolved, locked(text), hashed(resolved), local=_local(path))


def _local(path: Path) -> tuple[str, ...]:
    return tuple(str(Digest.of_content(OnDisk(file, file.stat().st_size))) for file in local_files(path))


def _from_project(wanted: _Wanted) -> Requirements:
    """Resolve what ``[project]`` asks for, with whatever versions there are today."""
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
    """Run uv in the project's folder and return what it prints."""
    env = {"UV_PYTHON_DOWNLOADS": "never", "POETRY_VIRTUALENVS_CREATE": "false"}  # neither is needed to read a lock
    try:
        return wanted.run([find_uv(), *arguments], cwd=wanted.file.path.parent, env=env).stdout
    except ProgramFailed as error:
        raise explain(error, f"cannot tell the requirements from {wanted.file.path.name}", step) from error


def _python(wanted: _Wanted) -> tuple[str, ...]:
    return (f"--python={wanted.python}",) if wanted.python else ()


def _each(option: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{option}={value}" for value in values)


def _check_names(wanted: _Wanted) -> None:
    """Refuse an extra or a group that the project does not have: some tools ignore it, and others say less."""
    known_extras, known_groups = _known_names(wanted.file)
    where = wanted.file.path.name
    for name in wanted.extras:
        _check_name("extra", name, known_extras, where)
    for name in wanted.groups:
        _check_name("group", name, known_groups, where)


def _check_name(kind: str, name: str, known: set[str], where: str) -> None:
    if canonicalize_name(name) in map(canonicalize_name, known):
        return
    close = difflib.get_close_matches(name, known, n=1)
    raise ConfigurationError(
        f"there is no {kind} {name!r} for {where}",
        evidence=f"there is: {', '.join(sorted(known)) or 'none'}",
        step=f"did you mean {close[0]!r}?" if close else f"correct the name of the {kind}",
    )


def _known_names(file: RequirementsFile) -> tuple[set[str], set[str]]:
    """The extras and the groups that there are."""
    if file.kind == "requirements":
        return set(), set()
    path = file.path if file.kind == "pylock" else file.path.with_name("pyproject.toml")
    table = _parse(path)
    if file.kind == "pylock":
        return set(table.get("extras", ())), set(table.get("dependency-groups", ()))
    extras = {*_table(table, "project", "optional-dependencies"), *_table(table, "tool", "poetry", "extras")}
    groups = {*_table(table, "dependency-groups"), *_table(table, "tool", "poetry", "group")}
    before_groups = any("dev-dependencies" in _table(table, "tool", tool) for tool in ("poetry", "uv"))
    return extras, groups | ({"dev"} if before_groups else set())


def _table(table: Any, *names: str) -> Mapping[str, Any]:
    """The table below ``names``, or an empty one: what stands there instead is for uv to complain of."""
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise RequirementsError(f"{path} is not TOML", evidence=str(error), step="correct that line") from error
