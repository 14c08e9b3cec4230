"""The versions of Python that a project names, and the folders in which version managers keep them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from cannery.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["hidden_folders", "named_versions", "present_versions"]

_CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d+)")
_EXECUTABLE = re.compile(r"python(3\.\d+)")
_INSTALLATION = re.compile(r"3\.\d+\.\d+")  # a CPython; virtual environments and PyPy have other names

# Version managers, by their documentation: the variable that names the home folder, the usual home folder, and the
# folder of the Pythons in it. ``tests/python/test_versions.py`` has a folder of each.
_MANAGERS = (
    ("PYENV_ROOT", "~/.pyenv", "versions"),
    ("ASDF_DATA_DIR", "~/.asdf", "installs/python"),
    ("MISE_DATA_DIR", "~/.local/share/mise", "installs/python"),
)


def named_versions(pyproject: Mapping[str, Any], present: Iterable[str]) -> list[str]:
    """The minor versions that the project's classifiers name, or else those ``present`` that it allows.

    Empty where the project says nothing of Python at all.
    """
    allowed = _requires_python(pyproject)
    classifiers = pyproject.get("project", {}).get("classifiers", ())
    named = [match[1] for text in classifiers if (match := _CLASSIFIER.fullmatch(text))]
    if not named and allowed is not None:
        named = list(present)
    return [version for version in sorted(set(named), key=Version) if allowed is None or _allows(allowed, version)]


def present_versions(folders: Iterable[Path]) -> set[str]:
    """The minor versions that have an executable of their name (``python3.12``) in ``folders``."""
    return {match[1] for folder in folders for name in _names(folder) if (match := _EXECUTABLE.fullmatch(name))}


def hidden_folders(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Folders of the Pythons that version managers keep, newest first.

    On the path there is only a shim for them, which fails for any version but the chosen ones.
    """
    installations = [path for home in _homes(environment) for path in _installations(home)]
    return [path / "bin" for path in sorted(installations, key=lambda path: Version(path.name), reverse=True)]


def _requires_python(pyproject: Mapping[str, Any]) -> SpecifierSet | None:
    """The versions that ``requires-python`` allows, or without it Poetry's ``python``; None for any."""
    poetry = pyproject.get("tool", {}).get("poetry", {}).get("dependencies", {}).get("python", "")
    text = pyproject.get("project", {}).get("requires-python", re.sub(r"\^", ">=", poetry))
    try:
        return SpecifierSet(text) if text else None
    except InvalidSpecifier as error:
        raise ConfigurationError(
            "requires-python cannot be understood", evidence=str(error), step="write it as in '>=3.11'"
        ) from error


def _allows(allowed: SpecifierSet, minor: str) -> bool:
    """True if some release of the minor version is allowed: ``>=3.11.4`` allows 3.11."""
    return any(allowed.contains(f"{minor}.{micro}") for micro in (0, 99))


def _homes(environment: Mapping[str, str]) -> Iterator[Path]:
    for variable, usual, inside in _MANAGERS:
        yield Path(environment.get(variable) or usual).expanduser() / inside


def _installations(home: Path) -> Iterator[Path]:
    return (home / name for name in _names(home) if _INSTALLATION.fullmatch(name))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # only the names are needed
    except OSError:
        return []  # as for a folder on the path that isn't there
