"""The wheel of cannery that a Dockerfile's stage installs, and its hash."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from cannery import __version__
from cannery.errors import ConfigurationError
from cannery.workspace.documents import json_value
from cannery.workspace.files import user_path
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["CanneryWheel", "wheel_of_cannery"]

_PINNED: Final = re.compile(rf"cannery=={re.escape(__version__)}(?: --hash=sha256:[0-9a-f]{{64}})+")
_STEP: Final = (
    "build its wheel into the project (uv build --wheel --out-dir vendor path/to/cannery), and name it:  "
    f'[tool.cannery]  cannery-wheel = "vendor/cannery-{__version__}-py3-none-any.whl"'
)


@dataclass(frozen=True, slots=True)
class CanneryWheel:
    """A wheel of this cannery, as pip finds it."""

    requirement: str  # a line of a requirements file, with hashes
    path: str = ""  # of the project's own, relative to it; empty for the released one


def wheel_of_cannery(app: App, workspace: Workspace, present: str = "") -> CanneryWheel:
    """The wheel that the setting ``cannery-wheel`` names, or the released one of this version.

    The latter's hashes are those in ``present``, the text of the Dockerfile that is there, or the package index is
    asked. Raises :class:`ConfigurationError` where neither has it.
    """
    if app.settings.cannery_wheel is not None:
        return _own(app, app.settings.cannery_wheel)
    if (known := _PINNED.search(present)) is not None:
        return CanneryWheel(known[0])
    if (origin := _installed_from()) is not None:
        raise ConfigurationError(
            "a Dockerfile installs a released cannery, and the one that runs here is none",
            evidence=f"it was installed from {origin}",
            step=_STEP,
        )
    return CanneryWheel(_released(workspace))


def _own(app: App, named: str) -> CanneryWheel:
    path = app.folder / user_path(named)
    complaint = _complaint(path)
    if not complaint and not path.is_relative_to(app.folder):
        complaint = f"it lies outside the project: {path}"
    if complaint:
        raise ConfigurationError(
            f"cannery-wheel = {named!r} is no wheel of cannery {__version__}", evidence=complaint, step=_STEP
        )
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    relative = PurePosixPath(path.relative_to(app.folder))
    return CanneryWheel(f"./{relative.name} --hash=sha256:{digest}", str(relative))


def _complaint(path: Path) -> str:
    """Why ``path`` isn't a wheel of this cannery; empty where it is one."""
    if not path.is_file():
        return f"there is no file {path}"
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        return str(error)
    found = f"{name} {version}"
    return "" if found == f"cannery {__version__}" else f"by its name it's {found}"


def _installed_from() -> str | None:
    """Where the cannery that runs was installed from, if that's no package index (PEP 610)."""
    try:
        origin = metadata.distribution("cannery").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return "a folder with its sources"
    return str(json_value(origin)["url"]) if origin else None


def _released(workspace: Workspace) -> str:
    """The requirement of this version, with the hashes that the package index has for it."""
    options = ["--quiet", "--no-deps", "--no-header", "--no-annotate", "--generate-hashes", "--only-binary=:all:"]
    try:
        done = workspace.run([find_uv(), "pip", "compile", *options, "-"], stdin=f"cannery=={__version__}\n")
    except ProgramFailed as error:
        raise ConfigurationError(
            f"the package index has no cannery {__version__}", evidence=error.evidence, step=_STEP
        ) from error
    found = " ".join(done.stdout.replace("\\\n", " ").split())
    if not _PINNED.fullmatch(found):
        raise ConfigurationError(
            f"the package index tells no hash of cannery {__version__}", evidence=found, step=_STEP
        )
    return found
