"""What an app starts, with all that was found on the way to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from msgspec import structs

from cannery.errors import ProjectError
from cannery.project.app import ApplicationEntry, Command, FunctionEntry, ModuleEntry, NamedEntry, ScriptEntry
from cannery.project.applications import applications, read_script
from cannery.project.shell import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePosixPath

    from cannery.project.app import Found
    from cannery.project.own_code import OwnCode
    from cannery.project.startable import Startable

__all__ = ["Starts", "one_of", "run_of", "typed_command", "unheard_note"]


@dataclass(frozen=True, slots=True)
class Starts:
    """What an app starts, and what was found on the way."""

    main: Command
    commands: tuple[Command, ...] = ()
    found: tuple[Found, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)  # that goes with it, where the settings say nothing else
    root: PurePosixPath | None = None  # a folder that imports start from, too: that of a script
    script: PurePosixPath | None = None  # the script that is run, or that defines what is served
    notes: tuple[str, ...] = ()

    def without_dependencies(self, startable: Startable) -> Starts:
        """The same for an app that requires nothing; raises :class:`ConfigurationError` for what it doesn't have."""
        main, *commands = (
            structs.replace(command, entry=startable.by_itself(command.entry))
            for command in (self.main, *self.commands)
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


def run_of(own: OwnCode, script: PurePosixPath) -> Starts:
    """The script as what starts, or the application that it defines, where that is all it does.

    Raises :class:`ProjectError` where running it does nothing.
    """
    path, entry = own.folder / script, ScriptEntry(script)
    tree = own.tree(path)
    alone = Starts(Command("", entry), root=script.parent, script=script)
    if tree is None:
        return alone
    reading = read_script(tree)
    found = applications(own, path, usual=not reading.starts_nothing)
    names = [each.attribute for each in found[:1]] or reading.defines[:3]
    told = f"{script} defines {', '.join(names)} and starts nothing"
    if reading.starts_nothing:
        if not found:
            raise ProjectError(told, step=_what_to_start(script, reading.defines))
        return replace(alone, main=Command("", ApplicationEntry(found, told)))
    unheard = f"{script}:{line}" if (line := reading.unheard(found)) else ""
    if found and not reading.acts and (not reading.starting or reading.serves(found)):
        application = ApplicationEntry(found, told, entry, reading.serves(found), unheard)
        return replace(alone, main=Command("", application))
    return replace(alone, notes=(unheard_note(unheard),)) if found and unheard else alone


def unheard_note(place: str) -> str:
    """The note on a server that listens on 127.0.0.1, which the line ``place`` starts."""
    return (
        f"{place} starts a server that listens on 127.0.0.1, where nobody outside of its container hears it: "
        'give it  host="0.0.0.0"'
    )


def one_of(names: Iterable[str], distribution: str | None, what: str) -> str:
    """The only name, or the one of the distribution; raises :class:`ProjectError` where several are as likely."""
    names = list(dict.fromkeys(names))
    if len(names) == 1:
        return names[0]
    from packaging.utils import canonicalize_name  # noqa: PLC0415  # slow to import, and seldom needed

    wanted = canonicalize_name(distribution or "")
    for name in names:
        if canonicalize_name(name.rpartition("/")[2]) == wanted:
            return name
    raise ProjectError(
        what, evidence=", ".join(names), step=f'choose one in pyproject.toml:  [tool.cannery]  entry = "{names[0]}"'
    )


def _what_to_start(script: PurePosixPath, names: tuple[str, ...]) -> str:
    chosen = next((name for name in ("main", "cli", "run", "app") if name in names), names[-1])
    return f'call what it is to do at its end, or name a function:  [tool.cannery]  entry = "{script.stem}:{chosen}"'
