"""The settings in force: a flag beats a variable (``CANNERY_TAG``), which beats the file, which beats the default."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.errors import ConfigurationError, did_you_mean
from cannery.project.pyproject import convert
from cannery.project.settings import (
    AuditSettings,
    CythonSettings,
    ExportSettings,
    OnefileSettings,
    Settings,
    SizesSettings,
    StaticSettings,
    TinySettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.project.pyproject import Project

    Given = Iterator[tuple[str, object, str]]  # a setting, its value, and where that comes from

__all__ = ["resolve_settings"]

_PREFIX = "CANNERY_"
_VARIABLES = {"CANNERY_CACHE", "CANNERY_KEY_PASSWORD", "CANNERY_KIT", "CANNERY_SOURCES"}  # those that aren't settings

# The tables of settings in [tool.cannery]
_TABLES: dict[str, type[msgspec.Struct]] = {
    "audit": AuditSettings,
    "sizes": SizesSettings,
    "cython": CythonSettings,
    "onefile": OnefileSettings,
    "static": StaticSettings,
    "tiny": TinySettings,
}


def resolve_settings(
    project: Project, flags: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Settings, dict[str, str]]:
    """The settings in force, and for each that isn't a default its origin: a file, a variable or a flag.

    ``flags`` are settings of a command line, None where one wasn't given; ``environ`` is this process's environment
    unless given. Raises :class:`ConfigurationError` for a setting that is unknown or has a wrong value.
    """
    _check_file(project)
    variables = os.environ if environ is None else environ
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for name, value, origin in (*_of_file(project), *_of_environment(variables), *_of_flags(flags or {})):
        values[name] = value
        origins[name] = origin
    return convert(values, Settings, "the command line and the environment"), origins


def _of_file(project: Project) -> Given:
    return ((name, value, f"{project.pyproject}") for name, value in project.table.items())


def _of_environment(environ: Mapping[str, str]) -> Given:
    """The settings that variables give; an empty variable gives none.

    Raises :class:`ConfigurationError` for a variable that seems to be misspelt, or that would have to be an array or a
    table; others are somebody else's.
    """
    settings = {f"{_PREFIX}{name.upper()}": name for name in Settings.__struct_fields__}
    for variable in (name for name in environ if name.startswith(_PREFIX) and environ[name]):
        if (name := settings.get(variable)) is None:
            _refuse_misspelt(variable, (*settings, *_VARIABLES))
        else:
            yield name.replace("_", "-"), _from_text(environ[variable], _kind(name), variable), variable


def _refuse_misspelt(variable: str, known: Iterable[str]) -> None:
    if variable in _VARIABLES:
        return
    if hint := did_you_mean(variable.removeprefix(_PREFIX), (name.removeprefix(_PREFIX) for name in known)):
        meant = hint.replace("'", f"'{_PREFIX}", 1)
        raise ConfigurationError(f"{variable} is no variable of cannery's", evidence=meant, step="correct or unset it")


def _of_flags(flags: Mapping[str, object]) -> Given:
    keys = ((name.replace("_", "-"), value) for name, value in flags.items() if value is not None)
    return ((key, value, f"--{key}") for key, value in keys)


def _check_file(project: Project) -> None:
    """Raise :class:`ConfigurationError` for a setting in the file that is unknown or wrong, even if it's overridden."""
    where = f"[tool.cannery] in {project.pyproject}"
    _refuse_unknown(project.table, Settings, where, "")
    exports = project.table.get("export", {})
    for name, export in exports.items() if isinstance(exports, dict) else ():
        if isinstance(export, dict):
            _refuse_unknown(export, ExportSettings, where, f"export.{name}.")
    for name, schema in _TABLES.items():
        if isinstance(table := project.table.get(name), dict):
            _refuse_unknown(table, schema, where, f"{name}.")
    convert(dict(project.table), Settings, where)


def _refuse_unknown(table: Mapping[str, object], schema: type[msgspec.Struct], where: str, prefix: str) -> None:
    known = schema.__struct_encode_fields__
    for key in table:
        if key not in known:
            near = did_you_mean(key, known)
            raise ConfigurationError(
                f"unknown setting {prefix}{key!r} in {where}",
                evidence=near,
                step="correct it, or leave it out" if near else f"settings are: {', '.join(known)}",
            )


def _from_text(text: str, kind: Any, variable: str) -> object:
    """The value of type ``kind`` that ``text``, such as ``true`` or ``2``, stands for in ``variable``."""
    if _is_collection(kind):
        name = variable.removeprefix(_PREFIX).lower().replace("_", "-")
        raise ConfigurationError(
            f"{variable} is set, and a variable can't be an array or a table",
            step=f"set it in pyproject.toml instead:  [tool.cannery]  {name} = …",
        )
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        from cannery.project.schema_errors import explain  # noqa: PLC0415  # seldom needed

        _, evidence = explain(error, text, kind)
        raise ConfigurationError(f"{variable} is wrong", evidence=evidence, step=f"correct {variable}") from error


def _kind(name: str) -> Any:
    """The type of a setting."""
    return _kinds()[name]


@cache
def _kinds() -> Mapping[str, Any]:
    """The types of all settings: their annotations are looked at for that, which takes time."""
    return {field.name: field.type for field in msgspec.structs.fields(Settings)}


def _is_collection(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) in {tuple, dict} or kind in _TABLES.values()
