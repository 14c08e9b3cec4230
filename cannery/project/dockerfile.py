"""What a project's own Dockerfile starts: its ``CMD`` and ``ENTRYPOINT``, with the variables that go with them.

(docs.docker.com, Dockerfile reference)
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cannery.project.shell import NeedsShell, SimpleCommand, simple_command
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["MARK", "DockerfileStart", "read_dockerfile"]

MARK: Final = 'Made by "invoke dockerfile'  # begins the remark in each file that is written here, by which it is known
_NAMES: Final = ("Dockerfile", "Containerfile")
_INSTRUCTION: Final = re.compile(r"^\s*([A-Za-z]+)\s+(.*)$", re.DOTALL)
_PAIR: Final = re.compile(r"""([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|'[^']*'|\S*)""")
# Variables about the Python that is installed there, about installing, and about the system.
_NOT_TAKEN: Final = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|TERM|DEBIAN_FRONTEND|LD_.*|VIRTUAL_ENV|(?:PYTHON|PIP_|PIPENV_|POETRY_|UV_|PDM_).*"
)


@dataclass(slots=True)
class _BuildStage:
    """A stage, as far as it decides what starts."""

    entrypoint: list[str] | str = ""  # in exec form, or in shell form
    command: list[str] | str = ""
    folder: str = "/"
    env: dict[str, str] = field(default_factory=dict)
    ports: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DockerfileStart:
    """What a Dockerfile starts."""

    file: str  # its name
    text: str  # of the command, as it stands there
    command: SimpleCommand
    env: Mapping[str, str]  # for the program
    ports: tuple[str, ...]


def read_dockerfile(folder: Path) -> DockerfileStart | None:
    """What the Dockerfile in ``folder`` starts; None where there is none, it starts nothing, or cannery wrote it.

    Raises :class:`NeedsShell` for a command that only a shell can run.
    """
    path = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
    text = path.read_text(encoding="utf-8", errors="replace") if path is not None else ""
    if path is None or MARK in text:
        return None
    stage = _last_stage(text)
    shown = stage.entrypoint or stage.command
    if not shown:
        return None
    env = {name: value for name, value in stage.env.items() if not _NOT_TAKEN.fullmatch(name) and "$" not in value}
    shell = shown if isinstance(shown, str) else ""
    return DockerfileStart(path.name, shell or shlex.join(_exec(stage)), _command(stage), env, tuple(stage.ports))


def _command(stage: _BuildStage) -> SimpleCommand:
    if isinstance(stage.entrypoint, str) and stage.entrypoint:
        return _relative(_simple(stage.entrypoint), stage.folder)  # a CMD has no effect then
    if isinstance(stage.command, str) and stage.command and not stage.entrypoint:
        return _relative(_simple(stage.command), stage.folder)
    words = _exec(stage)
    if len(words) == 3 and words[0].rpartition("/")[2] in {"sh", "bash"} and words[1].endswith("c"):  # noqa: PLR2004
        return _relative(_simple(words[2]), stage.folder)
    return _relative(SimpleCommand(tuple(words)), stage.folder)


def _simple(text: str) -> SimpleCommand:
    try:
        return simple_command(text)
    except NeedsShell as error:
        raise NeedsShell(error.operator, text) from None


def _exec(stage: _BuildStage) -> list[str]:
    """The words of an entry point in exec form, and of the command behind it."""
    entrypoint = stage.entrypoint if isinstance(stage.entrypoint, list) else []
    return [*entrypoint, *(stage.command if isinstance(stage.command, list) else [])]


def _relative(command: SimpleCommand, folder: str) -> SimpleCommand:
    """The command with paths below the working directory written from there, as the project has them."""
    prefix = f"{folder.rstrip('/')}/"
    words = (
        word.removeprefix(prefix) if isinstance(word, str) and prefix != "/" and word.startswith(prefix) else word
        for word in command.words
    )
    return SimpleCommand(tuple(words), command.env)


def _last_stage(text: str) -> _BuildStage:
    """The stage that becomes the image, with what it takes over from the stages that it's built on."""
    stages: dict[str, _BuildStage] = {}
    stage = _BuildStage()
    for name, rest in _instructions(text):
        match name:
            case "FROM":
                words = [word for word in rest.split() if not word.startswith("--")]
                before = stages.get(words[0].lower()) if words else None
                stage = _copy(before) if before is not None else _BuildStage()
                if len(words) > 2:  # noqa: PLR2004  # FROM x AS y
                    stages[words[2].lower()] = stage
            case "CMD":
                stage.command = _form(rest)
            case "ENTRYPOINT":
                stage.entrypoint, stage.command = _form(rest), ""
            case "WORKDIR":
                stage.folder = rest.strip() if rest.startswith("/") else f"{stage.folder.rstrip('/')}/{rest.strip()}"
            case "ENV":
                stage.env.update(_pairs(rest))
            case "EXPOSE":
                stage.ports += [port for port in rest.split() if re.fullmatch(r"\d+(?:/(?:tcp|udp))?", port)]
    return stage


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\[ \t]*\n", " ", "\n".join(lines)).splitlines():
        if found := _INSTRUCTION.match(line):
            yield found[1].upper(), found[2].strip()


def _form(rest: str) -> list[str] | str:
    """The words of the exec form, or the text of the shell form."""
    try:
        words: Any = json_value(rest)
    except ValueError:
        return rest
    return [str(word) for word in words] if isinstance(words, list) else rest


def _pairs(rest: str) -> dict[str, str]:
    if "=" not in rest.split(maxsplit=1)[0]:
        name, _, value = rest.partition(" ")
        return {name: value.strip()}
    return {name: value.strip("\"'") for name, value in _PAIR.findall(rest)}


def _copy(stage: _BuildStage) -> _BuildStage:
    return _BuildStage(stage.entrypoint, stage.command, stage.folder, dict(stage.env), list(stage.ports))
