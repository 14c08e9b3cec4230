"""Installing an app's requirements in a Dockerfile, for each kind of file that they are written in."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError
from cannery.project.requirement_lines import check_hashes
from cannery.project.requirements_file import read_lines
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
        lines = read_lines(file.path)
        check_hashes(lines, file.path.name)
        files = tuple(dict.fromkeys(path.relative_to(app.folder).as_posix() for path in lines.files))
        return Installed(files, files[0], ("--require-hashes",) if lines.hashed else ())
    tools, command = _export(app, file)
    name = file.path.name
    files = (name,) if name == "pyproject.toml" else ("pyproject.toml", name)
    return Installed(files, _PINS, ("--no-deps", "--require-hashes"), tools, shlex.join(command))


def _export(app: App, file: RequirementsFile) -> tuple[str, tuple[str, ...]]:
    """The requirements of the program that reads a lock, and its command."""
    extras, groups = app.settings.extras, app.settings.groups
    match file.kind:
        case "uv":
            options = ("--locked", "--no-editable", "--no-emit-project", "--no-default-groups")
            chosen = (*_each("--extra", extras), *_each("--group", groups))
            return UV, ("uv", "export", "--quiet", *options, *chosen, f"--output-file={_PINS}")
        case "poetry":
            chosen = (*_each("--extras", extras), *_each("--with", groups))
            return POETRY, ("poetry", "export", *chosen, f"--output={_PINS}")
        case "pylock":
            raise ConfigurationError(
                f"pip reads no {file.path.name}, so a Dockerfile can't install from it",
                step='export it (uv pip compile, or nox -s export), and set  requirements = "requirements.txt"',
            )
        case _:
            chosen = (*_each("--extra", extras), *_each("--group", groups))
            command = ("uv", "pip", "compile", "--quiet", "--generate-hashes", "--no-build", file.path.name)
            return UV, (*command, *chosen, f"--output-file={_PINS}")


def _each(option: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{option}={value}" for value in values)
