"""What an app starts, with all that was found on the way to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cannery.errors import ProjectError
from cannery.project.app import FunctionEntry, ModuleEntry, NamedEntry, ScriptEntry
from cannery.project.shell import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePosixPath

    from cannery.project.app import Command, Found
    from cannery.project.startable import Startable

__all__ = ["Starts", "one_of", "typed_command"]


@dataclass(frozen=True, slots=True)
class Starts:
    """What an app starts, and what was found on the way."""

    main: Command
    commands: tuple[Command, ...] = ()
    found: tuple[Found, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)  # that goes with it, where the settings say nothing else
    root: PurePosixPath | None = None  # a folder that imports start from, too: that of a script
    script: PurePosixPath | None = None  # the script that is run, or that defines what is served

    def without_dependencies(self, startable: Startable) -> Starts:
        """The same for an app that requires nothing; raises :class:`ConfigurationError` for what it doesn't have."""
        main, *commands = (
            replace(command, entry=startable.by_itself(command.entry)) for command in (self.main, *self.commands)
        )
        return replace(self, main=main, commands=tuple(commands))


def typed_command(command: Command) -> str:
    """The command as it would be typed."""
    match command.entry:
        case ScriptEntry(path):
            words = ["python", str(path)]
        case ModuleEntry(name) | NamedEntry(name, _, True):
            words = ["python", "-m", name]
        case NamedEntry(name) | FunctionEntry(name):
            words = [name]
        case application:
            words = [application.candidates[0].reference]
    return shown([*words, *command.arguments])


def one_of(names: Iterable[str], distribution: str | None, what: str) -> str:
    """The only name, or the one of the distribution; raises :class:`ProjectError` where several are as likely."""
    names = list(dict.fromkeys(names))
    if len(names) == 1:
        return names[0]
    from packaging.utils import canonicalize_name  # noqa: PLC0415  # slow to import, and seldom needed

    wanted = canonicalize_name(distribution or "")
    for name in names:
        if canonicalize_name(name) == wanted:
            return name
    raise ProjectError(
        what, evidence=", ".join(names), step=f'choose one in pyproject.toml:  [tool.cannery]  entry = "{names[0]}"'
    )
