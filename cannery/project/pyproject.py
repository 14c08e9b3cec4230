"""A project's ``pyproject.toml``, before any setting is applied (packaging.python.org, pyproject.toml; PEP 621)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cannery.errors import ConfigurationError, ProjectError
from cannery.project.app import Metadata
from cannery.project.pep508 import complaint_about
from cannery.project.settings import PartOfName  # noqa: TC001  # msgspec looks for it when it runs
from cannery.workspace.documents import toml_tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Project", "convert", "read_project"]

T = TypeVar("T")

_COMMANDS = {"scripts", "gui-scripts", "entry-points"}  # fields of [project]


class _ProjectTable(msgspec.Struct, frozen=True, rename="kebab"):
    """``[project]``, as far as an image is concerned (PEP 621)."""

    name: PartOfName
    version: PartOfName | None = None
    description: str = ""
    license: str | dict[str, str] = ""
    authors: tuple[dict[str, str], ...] = ()
    urls: dict[str, str] = {}
    requires_python: str = ""
    dependencies: tuple[str, ...] = ()
    scripts: dict[str, str] = {}
    gui_scripts: dict[str, str] = {}
    entry_points: dict[str, dict[str, str]] = {}
    dynamic: tuple[str, ...] = ()


class _PoetryTable(msgspec.Struct, frozen=True, rename="kebab"):
    """``[tool.poetry]`` of a project that has no ``[project]`` (python-poetry.org, The pyproject.toml file)."""

    name: PartOfName | None = None
    version: PartOfName | None = None
    description: str = ""
    license: str = ""
    authors: tuple[str, ...] = ()
    scripts: dict[str, str | dict[str, Any]] = {}
    plugins: dict[str, dict[str, str]] = {}
    dependencies: dict[str, Any] = {}


class Project(msgspec.Struct, frozen=True):
    """A project folder and what its ``pyproject.toml`` says, if it has one."""

    folder: Path  # absolute
    pyproject: Path | None  # None: there is no such file
    distribution: str | None  # its name, if it is a package
    metadata: Metadata
    scripts: Mapping[str, str]  # console scripts: name -> object reference
    table: Mapping[str, Any]  # [tool.cannery], not checked yet
    builds: bool = False  # it has a build backend: [build-system]

    @property
    def leaves_commands(self) -> bool:
        """True for a package whose commands no file tells; its name and what it requires may be as unknown."""
        if self.distribution is not None:
            return not _COMMANDS.isdisjoint(self.metadata.dynamic)
        return (self.folder / "setup.py").is_file() or any(
            (self.folder / name).is_file() and table in (self.folder / name).read_text("utf-8", "replace")
            for name, table in (("setup.cfg", "[metadata]"), ("pyproject.toml", "[tool.flit.metadata]"))
        )

    @property
    def leaves_version(self) -> bool:
        """True for a package whose version no file tells: it's derived from tags, or stands in a module."""
        return self.builds and self.metadata.version is None and "version" in self.metadata.dynamic


def read_project(folder: Path) -> Project:
    """The project in ``folder``, which need not have a ``pyproject.toml``.

    Raises :class:`ProjectError` where there is no such folder, :class:`ConfigurationError` for a file that can't be
    read, is no TOML, or has a wrong value in ``[project]``.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise ProjectError(f"there is no folder {folder}", step="name the folder of a project: --project FOLDER")
    path = folder / "pyproject.toml"
    if not path.is_file():
        return Project(folder, None, None, Metadata(), {}, {})
    document = _read_toml(path)
    tool = _table(document, "tool", path)
    cannery = _table(tool, "cannery", path)
    _refuse_nul({"project": document.get("project"), "tool.cannery": cannery}, path)
    if "project" in document:
        table = convert(document["project"], _ProjectTable, f"[project] in {path}")
        scripts = dict(table.scripts)
        return Project(folder, path, table.name, _metadata(table, path), scripts, cannery, "build-system" in document)
    if "poetry" in tool:
        poetry = convert(tool["poetry"], _PoetryTable, f"[tool.poetry] in {path}")
        scripts = {name: target for name, target in poetry.scripts.items() if isinstance(target, str)}
        return Project(folder, path, poetry.name, _poetry_metadata(poetry, scripts), scripts, cannery)
    return Project(folder, path, None, Metadata(), {}, cannery)


def convert(values: object, schema: type[T], where: str) -> T:
    """Decoded TOML or JSON as a value of ``schema``, with no type coerced.

    Raises :class:`ConfigurationError` that names the first wrong value, and ``where`` it stands.
    """
    try:
        return msgspec.convert(values, schema, strict=True)
    except msgspec.ValidationError as error:
        from cannery.project.schema_errors import explain  # noqa: PLC0415  # seldom needed

        name, evidence = explain(error, values, schema)
        raise ConfigurationError(
            f"{name} in {where} is wrong" if name else f"{where} is wrong",
            evidence=evidence,
            step="correct it, or leave it out for its default",
        ) from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        step = "see that you may read it, and that it is written in UTF-8"
        raise ConfigurationError(f"cannot read {path}", evidence=str(error), step=step) from error
    try:
        return toml_tables(text)
    except ValueError as error:
        raise ConfigurationError(f"{path} is not valid TOML", evidence=str(error), step="correct it") from error


def _table(parent: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    table = parent.get(name, {})
    if isinstance(table, dict):
        return table
    raise ConfigurationError(f"{name!r} in {path} is no table", evidence=f"{name} = {table!r}", step="correct it")


def _refuse_nul(values: Mapping[str, object], path: Path) -> None:
    """Raise :class:`ConfigurationError` for a text with a NUL: no path, argument or variable of a program has any."""
    pending = list(values.items())
    for name, value in pending:  # grows as tables and lists are met
        if isinstance(value, str) and "\0" in value:
            raise ConfigurationError(f"{name} in {path} holds a NUL", evidence=repr(value), step="take it out")
        if isinstance(value, dict):
            pending += [(f"{name}.{key}", inner) for key, inner in value.items()] + [(name, key) for key in value]
        elif isinstance(value, list):
            pending += [(name, inner) for inner in value]


def _metadata(table: _ProjectTable, path: Path) -> Metadata:
    groups = {"console_scripts": table.scripts, "gui_scripts": table.gui_scripts, **table.entry_points}
    return Metadata(
        version=table.version,
        description=table.description,
        license=table.license if isinstance(table.license, str) else table.license.get("text", ""),
        authors=", ".join(filter(None, (author.get("name") or author.get("email") for author in table.authors))),
        urls=tuple(sorted(table.urls.items())),
        requires_python=table.requires_python,
        dependencies=tuple(_requirement(text, path) for text in table.dependencies),
        dynamic=frozenset(table.dynamic),
        entry_points=_groups(groups),
    )


def _groups(groups: Mapping[str, Mapping[str, str]]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    return tuple((group, tuple(sorted(names.items()))) for group, names in sorted(groups.items()) if names)


def _poetry_metadata(table: _PoetryTable, scripts: Mapping[str, str]) -> Metadata:
    return Metadata(
        version=table.version,
        description=table.description,
        license=table.license,
        authors=", ".join(table.authors),
        entry_points=_groups({"console_scripts": scripts, **table.plugins}),
        dynamic=frozenset({"poetry"} if table.dependencies.keys() - {"python"} else ()),
    )


def _requirement(text: str, path: Path) -> str:
    """``text``, if it is a requirement (PEP 508); raises :class:`ConfigurationError` where it's none."""
    if complaint := complaint_about(text):
        what = f"dependencies in [project] in {path}: {text!r} is no requirement"
        raise ConfigurationError(what, evidence=complaint, step="correct it")
    return text
