"""The text of the scripts that start an app: console scripts as an installer writes them, and one for each command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.project.app import FunctionEntry, ModuleEntry, ScriptEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.project.app import App, Argument, Command, EntryPoint

__all__ = ["check_program", "command_names", "script_name", "script_of"]


def command_names(app: App) -> tuple[str, ...]:
    """The names of the app's commands, which the image has below :data:`PLACE`."""
    return tuple(command.name for command in app.commands)


def check_program(app: App, program: str) -> None:
    """Raise :class:`ConfigurationError` for a command that is called like the one ``program`` that holds all."""
    if program in command_names(app):
        raise ConfigurationError(
            f"a command can't be called {program!r}",
            evidence=f"the recipe {app.settings.recipe} makes one program of that name, which runs what it's called by",
            step="give it another name in  [tool.cannery]  commands, or the program:  [tool.cannery]  name",
        )


def script_name(command: Command) -> str | None:
    """The name of the script that starts ``command``; None where Python itself starts it."""
    if command.name:
        return command.name
    if isinstance(command.started, FunctionEntry):
        return command.started.script
    return None if command.plain else "start"


def script_of(command: Command, python: str, suffix: str = ".pyc") -> Iterator[str]:
    """The lines of the script for ``python``, a path in the image, and for modules that end in ``suffix``.

    Arguments that it's given come behind those of a command; those of the image's own start they replace, as they do in
    every image whose arguments are its ``Cmd``.
    """
    preparation = [] if not command.name and command.plain else list(_prepared(command))
    entry = command.started
    yield f"#!{python}"
    if any("os." in line for line in preparation) or not isinstance(entry, FunctionEntry):
        yield "import os"
    yield "import sys"
    if preparation:
        yield ""
        yield 'if __name__ == "__main__":'
        yield from (f"    {line}" for line in preparation)
    yield ""
    yield from _started(entry, suffix)


def _started(entry: EntryPoint, suffix: str) -> Iterator[str]:
    match entry:
        case FunctionEntry(_, module, attribute):
            yield f"from {module} import {attribute.partition('.')[0]}"
            yield ""
            yield 'if __name__ == "__main__":'  # a worker that multiprocessing spawns reads the script, too
            yield f"    sys.exit({attribute}())"
        case ModuleEntry(name):
            yield f'os.execv(sys.executable, [sys.executable, "-m", {name!r}, *sys.argv[1:]])'
        case ScriptEntry():
            path = str(entry.image_path.with_suffix(suffix))
            yield f"os.execv(sys.executable, [sys.executable, {path!r}, *sys.argv[1:]])"


def _prepared(command: Command) -> Iterator[str]:
    """The lines that set the variables and the arguments of ``command``."""
    for name, value in command.env:
        yield f"os.environ[{name!r}] = {_expression(value)}"
    if command.arguments:
        words = f"[{', '.join(map(_expression, command.arguments))}]"
        if any(not isinstance(word, str) for word in command.arguments):
            words = f"list(filter(None, {words}))"  # as a shell does without a word that is empty
        yield f"sys.argv[1:1] = {words}" if command.name else f"sys.argv[1:] = sys.argv[1:] or {words}"


def _expression(word: Argument) -> str:
    """``word`` in Python, where a variable of the environment decides about it."""
    if isinstance(word, str):
        return repr(word)
    parts = (
        repr(part) if isinstance(part, str) else f"(os.environ.get({part.name!r}) or {part.default!r})" for part in word
    )
    return " + ".join(parts)
