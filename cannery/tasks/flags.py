"""Commands made of functions: with flags that are settings, flags of their own, and an end without tracebacks."""

from __future__ import annotations

import functools
import inspect
import shlex
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from invoke.tasks import task

from cannery.project.flags import FLAGS
from cannery.tasks.ending import friendly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.context import Context
    from invoke.tasks import Task

__all__ = [
    "JSON",
    "TAKING_WORDS",
    "CommandLine",
    "Values",
    "are_for_another",
    "command",
    "flags_of",
    "typed",
    "words_behind",
]

Values = Mapping[str, "str | bool | None"]  # flag -> value; None where it's not given

JSON: Final = "Print the result as JSON, and nothing else, on standard output."
_PROJECT: Final = "Folder of the project (default: the nearest one with a pyproject.toml)."


class CommandLine(NamedTuple):
    """The command line of a command, less the command's own flags."""

    project: str | None  # None where it's not given
    settings: Values  # the flags that are settings
    remainder: str = ""  # the words behind --, joined


def command(
    *settings: str, help: Mapping[str, str] | None = None, optional: Sequence[str] = (), iterable: Sequence[str] = ()
) -> Callable[[Callable[..., None]], Task[Any]]:
    """A decorator that makes a task of a function whose arguments are a :class:`CommandLine` and flags of its own.

    The task's flags are the ``settings``, explained by :data:`FLAGS`, the function's own, and ``--project``. ``help``
    explains the function's own, and settings that mean something else here; ``optional`` are flags whose value may be
    left out, ``iterable`` those that may be given several times.
    """

    def decorate(function: Callable[..., None]) -> Task[Any]:
        @functools.wraps(function)
        def run(context: Context, **given: Any) -> None:
            project = given.pop("project", None)
            values = {name: given.pop(name, None) for name in settings}
            values = {name: None if value is False else value for name, value in values.items()}
            if context.config.run.dry:  # Invoke's own flag: echo commands instead of running them
                from cannery.workspace.streams import say  # noqa: PLC0415

                say(typed(function.__name__, {**values, **given, "project": project}))
                return
            function(CommandLine(project, values, context.remainder), **given)

        run.__signature__ = _signature(function, settings)  # type: ignore[attr-defined]  # Invoke makes flags of it
        words = {**{name: FLAGS[name].help for name in settings}, "project": _PROJECT, **(help or {})}
        made: Task[Any] = task(help=words, optional=optional, iterable=iterable, auto_shortflags=False)(friendly(run))
        return made

    return decorate


def flags_of(line: CommandLine) -> dict[str, object]:
    """The settings that are given as flags."""
    return {name: value for name, value in line.settings.items() if value is not None}


# Tasks that take words behind --, and what these are.
TAKING_WORDS: Final[Mapping[str, str]] = {
    "check": "ARGS or URL",
    "push": "REFERENCE",
    "registry-check": "REPOSITORY",
    "run": "ARGS",
    "watch": "ARGS",
}


def words_behind(line: CommandLine) -> list[str]:
    """The words behind ``--``, which Invoke joins: from the process's own command line, or else split again."""
    behind = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return behind if line.remainder == " ".join(behind) else shlex.split(line.remainder)


def are_for_another(task: str) -> bool:
    """True where the command line also names a task that takes the words behind ``--``: ``image run -- ARGS``."""
    before = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else []
    return not TAKING_WORDS.keys().isdisjoint(set(before) - {task})


def typed(name: str, flags: Values) -> str:
    """The command line that calls the command ``name`` with all ``flags`` that have a value, quoted for a shell."""
    from cannery.workspace.invocation import program_name  # noqa: PLC0415  # lists of commands show none

    words = [name]
    for flag, value in flags.items():
        if value:
            name = f"--{flag.replace('_', '-')}"
            words += [name] if value is True else [name, str(value)]
    return f"{program_name()} {shlex.join(words)}"


def _signature(function: Callable[..., None], settings: Sequence[str]) -> inspect.Signature:
    """The parameters of a task, of which Invoke makes flags; a default of False makes one that has no value.

    Those of its own without a default are given by their place: ``diff BEFORE AFTER``.
    """
    own = list(inspect.signature(function).parameters.values())[1:]
    placed = [each for each in own if each.default is inspect.Parameter.empty]
    flags = [_keyword(name, default=False if FLAGS[name].switch else None) for name in settings]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = [each for each in own if each not in placed]
    return inspect.Signature([context, *placed, *flags, *own, _keyword("project", default=None)])


def _keyword(name: str, *, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
