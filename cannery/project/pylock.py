"""Locks in the format of PEP 751 (``pylock.toml``): read, changed, written."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from cannery.errors import RequirementsError
from cannery.workspace.documents import toml_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cannery.project.local_projects import LocalWheel

__all__ = [
    "all_hashed",
    "allowed_alone",
    "canonical",
    "for_any_python",
    "hashes_of",
    "parse",
    "with_absolute_paths",
    "with_folders",
    "with_wheels",
    "write",
]


def parse(text: str, name: str) -> dict[str, Any]:
    """The tables of a lock; raises :class:`RequirementsError` for text that is no TOML, or has no packages."""
    try:
        tables = toml_tables(text)
    except ValueError as error:
        raise RequirementsError(f"{name} is not TOML", evidence=str(error), step="correct that line") from error
    if not isinstance(tables.get("packages", []), list):
        raise RequirementsError(f"{name} is no lock", evidence="packages is no list (PEP 751)", step="lock again")
    return tables


def for_any_python(text: str) -> str:
    """The lock without its own requirement of a Python.

    uv writes the whole version that it was to resolve for, and installs for no Python of an earlier patch release: not
    even where the one that installs stands for that of a base.
    """
    head, mark, packages = text.partition("[[packages]]")
    return re.sub(r"^requires-python = .*\n", "", head, flags=re.MULTILINE) + mark + packages


def with_absolute_paths(text: str, name: str, folder: Path) -> str:
    """The lock with every relative path made absolute; they are meant from ``folder``."""
    if " path = " not in text and "\npath = " not in text:
        return text
    tables = parse(text, name)
    for package in _packages(tables):
        for source in _sources(package):
            if "path" in source:
                source["path"] = str((folder / source["path"]).resolve())
    return write(tables)


def with_wheels(
    text: str, name: str, of_folder: Callable[[Path], LocalWheel], of_repository: Callable[[str, str, str], LocalWheel]
) -> str:
    """The lock with wheels in place of projects: those of folders, and of addresses with a commit and a subdirectory.

    Raises :class:`RequirementsError` for a version control system other than Git.
    """
    if "directory" not in text and "vcs" not in text:
        return text
    tables = parse(text, name)
    for package in _packages(tables):
        made: LocalWheel | None = None
        if place := package.pop("directory", None):
            made = of_folder(Path(place["path"]) / place.get("subdirectory", ""))
        elif (place := package.pop("vcs", None)) and place.get("type") == "git":
            address = place.get("url") or place.get("path", "")
            made = of_repository(address, place["commit-id"], place.get("subdirectory", ""))
        elif place:
            step = "take a release of it, or build a wheel: pip wheel NAME -w wheels"
            raise RequirementsError(f"{package['name']} is required from {place.get('type')}", step=step)
        if made is not None:
            package["archive"] = {"path": str(made.path), "hashes": {"sha256": made.sha256}}
    return write(tables)


def with_folders(text: str, name: str, folders: Mapping[Path, Path]) -> str:
    """The lock with a folder in place of each archive that ``folders`` maps to one."""
    tables = parse(text, name)
    for package in _packages(tables):
        location = package.get("archive", {})
        path = Path(location.get("path") or unquote(urlsplit(location.get("url", "")).path))
        if path in folders:
            del package["archive"]
            package["directory"] = {"path": str(folders[path])}
    return write(tables)


def allowed_alone(text: str, name: str, hashes: Mapping[str, set[str]]) -> str:
    """The lock with the files alone that have one of the ``hashes`` of their distribution, where there are some.

    Raises :class:`RequirementsError` for a distribution that none is left of.
    """
    tables = parse(text, name)
    for package in _packages(tables):
        if wanted := hashes.get(canonical(package["name"])):
            for kind in ("wheels", "sdist", "archive"):
                _restrict(package, kind, wanted)
            if not package.keys() & {"wheels", "sdist", "archive"}:
                raise RequirementsError(
                    f"no file of {package['name']} has one of the hashes that {name} asks for",
                    evidence="\n".join(sorted(wanted)),
                    step="the files aren't those that were locked: find out why before you lock again",
                )
    return write(tables)


def _restrict(package: dict[str, Any], kind: str, wanted: set[str]) -> None:
    """Take the files of one ``kind`` out of ``package`` that have none of the ``wanted`` hashes."""
    if kind in package:
        several = package[kind] if kind == "wheels" else [package[kind]]
        fitting = [each for each in several if not wanted.isdisjoint(_hashes(each))]
        if not fitting:
            del package[kind]
        elif kind == "wheels":
            package[kind] = fitting


def hashes_of(text: str, distribution: str) -> tuple[str, ...]:
    """The hashes that a lock has for the wheels of ``distribution``, as ``sha256:…``; empty where it has none."""
    named = [each for each in _packages(parse(text, "lock")) if canonical(each["name"]) == canonical(distribution)]
    wheels = [wheel for each in named for wheel in each.get("wheels", [])]
    return tuple(sorted({digest for wheel in wheels for digest in _hashes(wheel)}))


def all_hashed(text: str) -> bool:
    """True if every file that a lock names has a hash."""
    sources = (source for package in _packages(parse(text, "lock")) for source in _sources(package))
    return all(_hashes(source) for source in sources if "commit-id" not in source)


def canonical(name: str) -> str:
    """The name of a distribution as it's compared (packaging.python.org, name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def write(tables: Mapping[str, Any]) -> str:
    """The text of a lock's tables: a package's values stand on lines of their own, and are inline tables."""
    lines = [f"{_key(name)} = {_value(value)}" for name, value in tables.items() if name != "packages"]
    lines += [] if _packages(tables) else ["packages = []"]  # uv reads no lock that says nothing of them
    for package in _packages(tables):
        lines += ["", "[[packages]]", *(f"{_key(name)} = {_value(value)}" for name, value in package.items())]
    return "".join(f"{line}\n" for line in lines)


def _value(value: object) -> str:
    """``value`` as TOML (toml.io, v1.0.0)."""
    match value:
        case bool() | int() | float():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case dt.date() | dt.time():  # a datetime is a date
            return value.isoformat()
        case dict():
            return f"{{ {', '.join(f'{_key(name)} = {_value(each)}' for name, each in value.items())} }}"
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            raise TypeError(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _hashes(source: Mapping[str, Any]) -> set[str]:
    return {f"{kind}:{digits}" for kind, digits in source.get("hashes", {}).items()}


def _packages(tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = tables.get("packages", [])
    return packages


def _sources(package: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The places that a package may be taken from."""
    yield from package.get("wheels", [])
    yield from (package[kind] for kind in ("sdist", "archive", "directory", "vcs") if kind in package)
