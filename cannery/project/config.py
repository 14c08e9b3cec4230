"""``[tool.cannery]`` and ``[project]`` become an :class:`App`.

A flag beats the environment (``CANNERY_TAG``), which beats the file, which beats the default.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from cannery.errors import ConfigurationError, ProjectError
from cannery.project import entrypoints
from cannery.project.app import App, Metadata, ModuleEntry, RequirementsFile, ScriptEntry
from cannery.project.modules import import_roots
from cannery.project.settings import (
    AuditSettings,
    CythonSettings,
    ExportSettings,
    OnefileSettings,
    Settings,
    StaticSettings,
    TinySettings,
)
from cannery.workspace.files import user_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["Project", "did_you_mean", "load", "read_project", "resolve_settings"]

T = TypeVar("T")

_LOCKS = (("uv.lock", "uv"), ("poetry.lock", "poetry"), ("pylock.toml", "pylock"), ("requirements.txt", "requirements"))

# The tables of settings in [tool.cannery]
_TABLES: dict[str, type[msgspec.Struct]] = {
    "audit": AuditSettings,
    "cython": CythonSettings,
    "onefile": OnefileSettings,
    "static": StaticSettings,
    "tiny": TinySettings,
}


class _ProjectTable(msgspec.Struct, frozen=True, rename="kebab"):
    """``[project]``, as far as an image is concerned (packaging.python.org, pyproject.toml)."""

    name: str
    version: str | None = None
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
    """``[tool.poetry]`` of a project that has no ``[project]``."""

    name: str | None = None
    version: str | None = None
    description: str = ""
    license: str = ""
    authors: tuple[str, ...] = ()
    scripts: dict[str, str | dict[str, Any]] = {}
    dependencies: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Project:
    """What the project's files say, before any setting is applied."""

    folder: Path
    pyproject: Path | None
    distribution: str | None
    metadata: Metadata
    scripts: Mapping[str, str]
    table: Mapping[str, Any]  # [tool.cannery], unread


def load(
    folder: Path,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    library: bool = False,
) -> App:
    """Read the project in ``folder``; ``flags`` are settings from a command line, None where not given.

    Raises :class:`ConfigurationError` for a setting that can't be, :class:`ProjectError` where there is nothing
    to run. A ``library`` need not have that: then its packages are the app.
    """
    project = read_project(folder)
    settings, _ = resolve_settings(project, flags, environ)
    roots = import_roots(project.folder)
    try:
        entry = entrypoints.find(project.folder, roots, settings, project.distribution, project.scripts)
    except ProjectError:
        packages = entrypoints.packages(project.folder, roots) if library else ()
        if not packages:
            raise
        entry = ModuleEntry(packages[0])
        settings = msgspec.structs.replace(settings, packages=(*settings.packages, *packages))
    if isinstance(entry, ScriptEntry) and entry.path.parent not in roots:
        roots = (entry.path.parent, *roots)  # where Python looks first
    name = settings.name or _image_name(project.distribution or project.folder.name)
    return App(
        folder=project.folder,
        name=name,
        distribution=project.distribution,
        metadata=replace(project.metadata, version=settings.version or project.metadata.version),
        entry=entry,
        import_roots=roots,
        requirements=_requirements_file(project, settings),
        archive=_archive(project.folder, name, settings.output),
        settings=settings,
    )


def read_project(folder: Path) -> Project:
    """Read ``pyproject.toml`` in ``folder``, where there is one."""
    folder = folder.resolve()
    if not folder.is_dir():
        raise ProjectError(f"there is no folder {folder}", step="name the folder of a project: --project FOLDER")
    path = folder / "pyproject.toml"
    if not path.is_file():
        return Project(folder, None, None, Metadata(), {}, {})
    document = _read_toml(path)
    tool = _table(document, "tool", path)
    metadata, scripts, name = _metadata(document, tool, path)
    return Project(folder, path, name, metadata, scripts, _table(tool, "cannery", path))


def resolve_settings(
    project: Project, flags: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Settings, dict[str, str]]:
    """The settings, and for each that isn't a default where it comes from."""
    where = f"[tool.cannery] in {project.pyproject}"
    _refuse_unknown(project.table, Settings, where, "")
    exports = project.table.get("export", {})
    for name, export in exports.items() if isinstance(exports, dict) else ():
        if isinstance(export, dict):
            _refuse_unknown(export, ExportSettings, where, f"export.{name}.")
    for name, schema in _TABLES.items():
        if isinstance(table := project.table.get(name), dict):
            _refuse_unknown(table, schema, where, f"{name}.")
    _convert(dict(project.table), Settings, where)
    fields = {field.encode_name: field for field in msgspec.structs.fields(Settings)}
    values: dict[str, object] = dict(project.table)
    origins = dict.fromkeys(values, f"{project.pyproject}")
    environ = os.environ if environ is None else environ
    for name, field in fields.items():
        variable = f"CANNERY_{field.name.upper()}"
        if environ.get(variable) and not _is_collection(field.type):
            values[name] = _from_text(environ[variable], field.type, variable)
            origins[name] = variable
    for name, value in (flags or {}).items():
        key = name.replace("_", "-")
        if value is not None:
            values[key] = value
            origins[key] = f"--{key}"
    return _convert(values, Settings, "the command line and the environment"), origins


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """``did you mean 'strip'?``, or nothing when no choice is near."""
    near = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML", evidence=str(error), step="correct it") from error
    except (OSError, UnicodeDecodeError) as error:
        step = "see that you may read it, and that it is written in UTF-8"
        raise ConfigurationError(f"cannot read {path}", evidence=str(error), step=step) from error


def _table(parent: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    table = parent.get(name, {})
    if isinstance(table, dict):
        return table
    raise ConfigurationError(f"{name!r} in {path} is no table", evidence=f"{name} = {table!r}", step="correct it")


def _metadata(
    document: Mapping[str, Any], tool: Mapping[str, Any], path: Path
) -> tuple[Metadata, dict[str, str], str | None]:
    if "project" in document:
        table = _convert(document["project"], _ProjectTable, f"[project] in {path}")
        groups = {"console_scripts": table.scripts, "gui_scripts": table.gui_scripts, **table.entry_points}
        metadata = Metadata(
            version=table.version,
            description=table.description,
            license=table.license if isinstance(table.license, str) else table.license.get("text", ""),
            authors=", ".join(filter(None, (author.get("name") or author.get("email") for author in table.authors))),
            urls=tuple(sorted(table.urls.items())),
            requires_python=table.requires_python,
            dependencies=tuple(_requirement(text, path) for text in table.dependencies),
            dynamic=frozenset(table.dynamic),
            entry_points=tuple(
                (group, tuple(sorted(names.items()))) for group, names in sorted(groups.items()) if names
            ),
        )
        return metadata, dict(table.scripts), table.name
    if "poetry" in tool:
        poetry = _convert(tool["poetry"], _PoetryTable, f"[tool.poetry] in {path}")
        scripts = {name: target for name, target in poetry.scripts.items() if isinstance(target, str)}
        metadata = Metadata(
            version=poetry.version,
            description=poetry.description,
            license=poetry.license,
            authors=", ".join(poetry.authors),
            entry_points=(("console_scripts", tuple(sorted(scripts.items()))),) if scripts else (),
            dynamic=frozenset({"poetry"} if poetry.dependencies.keys() - {"python"} else ()),
        )
        return metadata, scripts, poetry.name
    return Metadata(), {}, None


def _requirement(text: str, path: Path) -> str:
    try:
        Requirement(text)
    except InvalidRequirement as error:
        what = f"dependencies in [project] in {path}: {text!r} is no requirement"
        raise ConfigurationError(what, evidence=str(error), step="correct it") from error
    return text


def _refuse_unknown(table: Mapping[str, object], schema: type[msgspec.Struct], where: str, prefix: str) -> None:
    known = [field.encode_name for field in msgspec.structs.fields(schema)]
    for key in table:
        if key not in known:
            raise ConfigurationError(
                f"unknown setting {prefix}{key!r} in {where}",
                evidence=did_you_mean(key, known),
                step=f"settings are: {', '.join(known)}",
            )


def _convert(values: object, schema: type[T], where: str) -> T:
    try:
        return msgspec.convert(values, schema, strict=True)
    except msgspec.ValidationError as error:
        what, _, key = str(error).partition(" - at `$.")
        name = key.rstrip("`")
        raise ConfigurationError(
            f"{name or 'a setting'} in {where} is wrong",
            evidence=what,
            step="correct it, or leave it out for its default",
        ) from error


def _from_text(text: str, kind: Any, variable: str) -> object:
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{variable}={text!r} can't be: {error}", step=f"correct {variable}") from error


def _is_collection(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) in {tuple, dict} or kind in _TABLES.values()


def _image_name(text: str) -> str:
    """A repository name that registries accept (OCI distribution-spec v1.1, pulling manifests)."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in text.lower())
    return "-".join(filter(None, kept.split("-"))) or "app"


def _archive(folder: Path, name: str, output: str | None) -> Path:
    if output is None:
        return folder / "dist" / f"{name.rpartition('/')[2]}.tar"
    path = user_path(output).absolute()
    if path.is_dir():
        step = f"name a file: --output {path / 'image.tar'}"
        raise ConfigurationError(f"output = {output!r} is a folder", step=step)
    return path


def _requirements_file(project: Project, settings: Settings) -> RequirementsFile | None:
    if settings.requirements is not None:
        path = project.folder / settings.requirements
        if not path.is_file():
            raise ConfigurationError(
                f"requirements = {settings.requirements!r}: there is no such file in {project.folder}",
                step="name a requirements file or a lock relative to the project",
            )
        kinds = {name: kind for name, kind in _LOCKS if kind != "requirements"}
        return RequirementsFile(path, kinds.get(path.name, "requirements"))  # type: ignore[arg-type]
    for name, kind in _LOCKS:
        if (project.folder / name).is_file():
            return RequirementsFile(project.folder / name, kind)  # type: ignore[arg-type]
    metadata = project.metadata
    if "poetry" in metadata.dynamic:
        raise ProjectError(
            "[tool.poetry.dependencies] names requirements that nothing pins",
            evidence=f"there is no poetry.lock in {project.folder}",
            step="run: poetry lock",
        )
    wanted = metadata.dependencies or "dependencies" in metadata.dynamic or settings.extras or settings.groups
    if project.pyproject and wanted:
        return RequirementsFile(project.pyproject, "project")
    return None
