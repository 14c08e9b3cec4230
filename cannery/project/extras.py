"""The extras and the dependency groups of a project, by which its requirements are chosen (PEP 621, PEP 735)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cannery.errors import ConfigurationError, RequirementsError, did_you_mean
from cannery.project.requirements_file import read_text
from cannery.project.uv_sources import is_static
from cannery.workspace.documents import toml_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cannery.project.app import RequirementsFile

__all__ = ["check_extras", "check_names"]


def check_names(file: RequirementsFile, folder: Path, extras: Iterable[str], groups: Iterable[str]) -> None:
    """Raise :class:`ConfigurationError` for an extra or a group that the project in ``folder`` doesn't have.

    Some of the tools that read locks ignore such a name. Raises :class:`RequirementsError` for a file that isn't TOML.
    """
    pyproject = folder / "pyproject.toml"
    known_extras, known_groups = _known_names(file, pyproject)
    if file.kind != "project" or is_static(pyproject):  # otherwise only the build backend knows
        check_extras(extras, known_extras, file.path.name)
    for name in groups:
        _check_name("group", name, known_groups, file.path.name)


def check_extras(extras: Iterable[str], known: set[str], where: str) -> None:
    """Raise :class:`ConfigurationError` for an extra that isn't ``known`` in the file ``where``."""
    for name in extras:
        _check_name("extra", name, known, where)


def _check_name(kind: str, name: str, known: set[str], where: str) -> None:
    from packaging.utils import canonicalize_name  # noqa: PLC0415  # slow to import

    if canonicalize_name(name) in map(canonicalize_name, known):
        return
    raise ConfigurationError(
        f"there is no {kind} {name!r} for {where}",
        evidence=f"there is: {', '.join(sorted(known)) or 'none'}",
        step=did_you_mean(name, known) or f"correct the name of the {kind}",
    )


def _known_names(file: RequirementsFile, pyproject: Path) -> tuple[set[str], set[str]]:
    """The names of the extras and of the groups, as the project writes them."""
    if file.kind in {"pipenv", "pdm", "conda"}:
        from cannery.project.other_tools import groups_of  # noqa: PLC0415  # of few projects

        return set(), groups_of(file.path, file.kind)
    if file.kind in {"requirements", "script"}:
        return set(), set()
    path = file.path if file.kind == "pylock" else pyproject
    table = _parse(path) if path.is_file() else {}
    if file.kind == "pylock":
        return set(table.get("extras", ())), set(table.get("dependency-groups", ()))
    extras = {*_table(table, "project", "optional-dependencies"), *_table(table, "tool", "poetry", "extras")}
    groups = {*_table(table, "dependency-groups"), *_table(table, "tool", "poetry", "group")}
    before_groups = any("dev-dependencies" in _table(table, "tool", tool) for tool in ("poetry", "uv"))
    return extras, groups | ({"dev"} if before_groups else set())


def _table(table: Any, *names: str) -> Mapping[str, Any]:
    """The table at the path ``names``; empty where there is none, or something else, of which uv complains."""
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return toml_tables(read_text(path))
    except ValueError as error:
        raise RequirementsError(f"{path} is not TOML", evidence=str(error), step="correct that line") from error
