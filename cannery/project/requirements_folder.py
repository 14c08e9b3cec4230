"""The requirements file of a project that has several: ``requirements/prod.txt`` beside ``base`` and ``dev``."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError
from cannery.project.requirements_file import read_lines

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["requirements_file_in"]

# Words in the names of files that are for work on a project, not for what it runs with
_FOR_WORK: Final = {
    *("build", "check", "checks", "ci", "cov", "coverage", "debug", "dev", "develop", "development", "doc", "docs"),
    *("format", "lint", "linting", "local", "mypy", "pre-commit", "publish", "release", "style", "test", "testing"),
    *("tests", "tools", "tox", "types", "typing"),
}
_FOR_USE: Final = {"prod", "production"}
_NAME: Final = re.compile(r"(?:requirements|reqs)?[-_.]?(?P<stem>.*)\.(?:txt|in)")


def requirements_file_in(folder: Path) -> Path | None:
    """``requirements.txt``, or ``requirements.in``, or the one file for production among several; None without any.

    What others include isn't the one, nor what its name says is for work on the project. Raises
    :class:`ConfigurationError` where several are left.
    """
    for name in ("requirements.txt", "requirements.in"):
        if (folder / name).is_file():
            return folder / name
    found = _candidates(folder)
    included = {file.resolve() for path in found.values() for file in read_lines(path).files[1:]}
    left = [path for path in found.values() if path.resolve() not in included]
    chosen = [path for path in left if _stem(path) in _FOR_USE] or left
    if len(chosen) > 1:
        names = [os.path.relpath(path, folder) for path in chosen]
        raise ConfigurationError(
            f"requirements stand in {' and in '.join(names)}",
            evidence="none of them includes the others (-r)",
            step=f'choose one in pyproject.toml:  [tool.cannery]  requirements = "{names[0]}"',
        )
    return chosen[0] if chosen else None


def _candidates(folder: Path) -> dict[str, Path]:
    """The files that may have the program's requirements, by their names without an ending; a compiled one wins."""
    paths = [*folder.glob("requirements*.in"), *folder.glob("requirements*.txt")]
    for inner in ("requirements", "reqs"):
        paths += [*(folder / inner).glob("*.in"), *(folder / inner).glob("*.txt")]
    named = {str(path.with_suffix("")): path for path in paths if path.is_file()}
    return {name: path for name, path in sorted(named.items()) if _FOR_WORK.isdisjoint(re.split(r"[-_.]", _stem(path)))}


def _stem(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    return match["stem"].lower() if match else path.stem
