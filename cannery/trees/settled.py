"""An app with all that its dependencies decide about its start: their scripts and modules, and a server of theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from cannery.project.app import (
    PLACE,
    ApplicationEntry,
    Command,
    Found,
    FunctionEntry,
    ModuleEntry,
    NamedEntry,
    ScriptEntry,
)
from cannery.project.servers import SERVERS, listening
from cannery.project.shell import shown
from cannery.project.starts import unheard_note
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from cannery.image.tree import LazyTree
    from cannery.project.app import App, EntryPoint
    from cannery.trees.wheel_code import WheelCode
    from cannery.workspace.workspace import Workspace

__all__ = ["settled"]

_SCRIPT: Final = re.compile(r"[A-Za-z][\w.-]*")


def settled(app: App, wheels: LazyTree, site_packages: str, workspace: Workspace) -> App:
    """``app``, with what its ``wheels`` bring in the place of names; remembered, so that no wheel is looked into again.

    Raises :class:`ConfigurationError` for a name that neither the project nor a dependency has, :class:`ProjectError`
    for an application that nothing serves.
    """
    installed = _InstalledWheels(app, wheels, site_packages, workspace)
    main, *commands = (_settled(command, installed) for command in (app.main, *app.commands))
    launched = tuple(_launched(app, {_name(main.started), *(command.name for command in commands)}, installed))
    commands += [command for command, _ in launched]
    if main == app.main and tuple(commands) == app.commands:
        return app
    found, notes = app.found, (*app.notes, *_notes(app.main.entry, installed))
    if isinstance(app.main.entry, ApplicationEntry) and main.entry != app.main.entry.otherwise:
        served = app.main.entry.candidates[0].place
        source = next((each.source for each in app.found if each.what == "entry"), served)
        taken = Found("entry", shown([_name(main.started), *main.arguments]), source)
        found = (taken, *(each for each in app.found if each.what != "entry"))
    found += tuple(
        Found(f"commands.{command.name}", command.name, f"the arguments of {by}") for command, by in launched
    )
    return replace(app, main=main, commands=tuple(commands), found=found, notes=notes)


@dataclass(frozen=True)
class _InstalledWheels:
    """The wheels, as far as they decide what starts."""

    app: App
    wheels: LazyTree
    site_packages: str
    workspace: Workspace

    def recall(self, entry: NamedEntry | ApplicationEntry) -> Mapping[str, Any]:
        """What stands for ``entry``, in JSON's types; found now, or by an earlier build."""
        return self._remembered(
            repr(entry), lambda code: code.named(entry) if isinstance(entry, NamedEntry) else code.served(entry)
        )

    def launched(self, words: tuple[str, ...]) -> Mapping[str, Any]:
        """What stands for each of the ``words`` that is a script of the wheels, in JSON's types."""
        return self._remembered(repr(words), lambda code: code.launched(words))

    def _remembered(self, what: str, look: Callable[[WheelCode], dict[str, Any]]) -> dict[str, Any]:
        key = key_of("settled", code_key(__name__), self.wheels.key, self.site_packages, what)
        known = self.workspace.cache.recall("settled", key)
        if known is None:
            from cannery.trees.wheel_code import WheelCode  # noqa: PLC0415  # not needed where nothing has changed

            known = look(WheelCode(self.app, self.wheels, self.site_packages, self.workspace))
            self.workspace.cache.remember("settled", key, known)
        return known


def _settled(command: Command, installed: _InstalledWheels) -> Command:
    entry = command.entry
    if isinstance(entry, NamedEntry):
        return replace(command, entry=_entry(installed.recall(entry)))
    if not isinstance(entry, ApplicationEntry):
        return command
    known = installed.recall(entry)
    if known["kind"] == "otherwise":
        assert entry.otherwise is not None  # noqa: S101  # it's what the record says
        return replace(command, entry=entry.otherwise)
    server = next(each for each in SERVERS if each.script == known["name"])
    chosen = entry.candidates[known["candidate"]]
    own = server.arguments(chosen.reference, known["interface"], factory=chosen.factory)
    arguments = (*own, *command.arguments)
    return replace(
        command, entry=_entry(known), arguments=arguments, ports=listening(arguments, installed.app.settings.env)
    )


def _launched(app: App, present: set[str], installed: _InstalledWheels) -> Iterator[tuple[Command, str]]:
    """The scripts of wheels that a script or module of another is to start, as its arguments name them, with its name.

    So do ``opentelemetry-instrument flask run`` and ``watchmedo auto-restart -- celery worker``: they look for it on
    ``PATH``. Those whose names are ``present`` are left out.
    """
    for command in (app.main, *app.commands):
        words = [word for word in command.arguments if isinstance(word, str) and _SCRIPT.fullmatch(word)]
        if isinstance(command.entry, NamedEntry) and (asked := [word for word in words if word not in present]):
            for name, known in installed.launched(tuple(dict.fromkeys(asked))).items():
                present.add(name)
                yield Command(name, _entry(known)), command.entry.name


def _notes(entry: object, installed: _InstalledWheels) -> Iterator[str]:
    """A note on an application that serves itself, where it's not heard."""
    if isinstance(entry, ApplicationEntry) and entry.unheard and installed.recall(entry).get("unheard"):
        yield unheard_note(entry.unheard)


def _entry(known: Mapping[str, Any]) -> EntryPoint:
    match known["kind"]:
        case "function":
            return FunctionEntry(known["name"], known["module"], known["attribute"])
        case "module":
            return ModuleEntry(known["name"])
    return ScriptEntry(PLACE / f"{known['name']}.py", known["source"])


def _name(entry: EntryPoint) -> str:
    match entry:
        case ScriptEntry(path):
            return path.stem
        case ModuleEntry(name) | FunctionEntry(name):
            return name
