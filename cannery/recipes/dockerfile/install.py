"""Installing an app's requirements in a Dockerfile, for each kind of file that they are written in."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError
from cannery.project.requirement_lines import check_hashes
from cannery.project.requirements_file import read_lines
from cannery.project.uv_sources import is_static, names_indexes
from cannery.recipes.dockerfile.pins import POETRY, UV

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.project.app import App, RequirementsFile

__all__ = ["Installed", "installed"]

_PINS: Final = "pins.txt"


@dataclass(frozen=True, slots=True)
class Installed:
    """The steps of a stage that installs requirements."""

    files: tuple[str, ...]  # of the project, to be copied
    requirements: str  # the file that pip reads
    options: tuple[str, ...]  # pip's
    tools: str = ""  # requirements of the program that reads a lock, which pip installs first
    export: str = ""  # the command that writes ``requirements``


def installed(app: App) -> Installed | None:
    """The steps that install the requirements of ``app``; None where it has none."""
    file = app.requirements
    if file is None:
        return None
    if file.kind == "requirements":
        return _of_lines(app, file)
    tools, command = _export(app, file)
    name = file.path.name
    files = (name,) if name == "pyproject.toml" else ("pyproject.toml", name)
    return Installed(files, _PINS, ("--no-deps", "--require-hashes"), tools, shlex.join(command))


def _of_lines(app: App, file: RequirementsFile) -> Installed:
    lines = read_lines(file.path, app.folder)
    check_hashes(lines, file.path.name)
    local = next((line.text for line in lines.lines if line.path is not None), "")
    folders = [option for option in lines.options if option.startswith("--find-links=/")]
    if local or folders:
        raise _refusal(file, f"it names files of this machine: {local or folders[0].removeprefix('--find-links=')}")
    files = tuple(dict.fromkeys(path.relative_to(app.folder).as_posix() for path in lines.files))
    return Installed(files, files[0], ("--require-hashes",) if lines.hashed else ())


def _export(app: App, file: RequirementsFile) -> tuple[str, tuple[str, ...]]:
    """The requirements of the program that reads a lock, and its command."""
    extras, groups = app.settings.extras, app.settings.groups
    if file.path.parent != app.folder:
        raise _refusal(file, f"it lies outside the project, in {file.path.parent}")
    match file.kind:
        case "uv":
            options = ("--locked", "--no-editable", "--no-emit-project", "--no-default-groups")
            indexes = ("--emit-index-url", "--emit-find-links") if names_indexes(app.folder) else ()
            chosen = (*_each("--extra", extras), *_each("--group", groups))
            return UV, ("uv", "export", "--quiet", *options, *indexes, *chosen, f"--output-file={_PINS}")
        case "poetry":
            chosen = (*_each("--extras", extras), *_each("--with", groups))
            return POETRY, ("poetry", "export", *chosen, f"--output={_PINS}")
        case "project" if is_static(file.path):
            chosen = (*_each("--extra", extras), *_each("--group", groups))
            command = ("uv", "pip", "compile", "--quiet", "--generate-hashes", "--no-build", file.path.name)
            return UV, (*command, *chosen, f"--output-file={_PINS}")
        case _:
            raise _refusal(file, "pip doesn't read it")


def _refusal(file: RequirementsFile, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"a Dockerfile can't install from {file.path.name}",
        evidence=why,
        step="write the versions into a file (uv pip compile, or nox -s export), and set  "
        'requirements = "requirements.txt"; or let cannery build the image',
    )


def _each(option: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{option}={value}" for value in values)
