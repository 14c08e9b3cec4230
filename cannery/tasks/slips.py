"""Command lines that can't be read: what is wrong, what was probably meant, and the line to type instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError, did_you_mean
from cannery.tasks.completion import VALUES
from cannery.tasks.flags import TAKING_WORDS
from cannery.workspace.invocation import program_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.exceptions import ParseError
    from invoke.parser.context import ParserContext

__all__ = ["refusal"]

_UNKNOWN: Final = re.compile(r"No idea what '(.*)' is!")  # as Invoke says it
_NO_VALUE: Final = re.compile(r"Flag <Argument: (\S+)> needed value")
_OF_PROGRAMS: Final = frozenset({"check", "run", "watch"})  # commands whose words behind -- are a program's
_LEADING_ON: Final = "--image"  # the flag of commands that look into an image


def refusal(error: ParseError, commands: Sequence[str]) -> ConfigurationError:
    """What is wrong with the command line of one of the ``commands``, what is near it, and the next step."""
    context = error.context if error.context and error.context.name else None
    if lacking := _NO_VALUE.match(str(error)):
        return ConfigurationError(f"--{lacking[1]} needs a value", step=f"{_typed(context)} --help")
    if unknown := _UNKNOWN.match(str(error)):
        return (
            _unknown_flag(unknown[1], context) if unknown[1].startswith("-") else _stray(unknown[1], context, commands)
        )
    if context is None or not context.missing_positional_args:
        return ConfigurationError(str(error), step=f"{_typed(context)} --help")
    missing = " and ".join(str(each.name).upper() for each in context.missing_positional_args)
    whole = " ".join(str(each.name).upper() for each in context.positional_args)
    return ConfigurationError(f"{context.name} needs {missing}", step=f"{_typed(context)} {whole}")


def _typed(context: ParserContext | None) -> str:
    return f"{program_name()} {context.name}" if context else program_name()


def _unknown_flag(word: str, context: ParserContext | None) -> ConfigurationError:
    if context is None:
        return ConfigurationError(f"{program_name()} has no flag {word!r}", step=f"{program_name()} --list")
    step = f"{_typed(context)} --help"
    if context.name in _OF_PROGRAMS:
        step += f", or for a flag of the program's own:  {_typed(context)} -- {word}"
    near = did_you_mean(word, context.flags)
    return ConfigurationError(f"{context.name} has no flag {word!r}", evidence=near, step=step)


def _stray(word: str, context: ParserContext | None, commands: Sequence[str]) -> ConfigurationError:
    """A word that is no command: it's misspelt, or there's a way to say what it's for."""
    if near := did_you_mean(word, commands):
        return ConfigurationError(f"there is no command {word!r}", evidence=near, step=f"{program_name()} --list")
    if context is None:
        return ConfigurationError(f"there is no command {word!r}", step=f"{program_name()} --help")
    return ConfigurationError(f"{context.name} can't place the word {word!r}", step=_meant(word, context))


def _meant(word: str, context: ParserContext) -> str:
    called = _typed(context)
    flags = [flag for flag in context.flags if word in VALUES.get(flag.removeprefix("--"), ())]
    if flags:
        return f"{called} {flags[0]} {word}"
    if context.name in TAKING_WORDS:
        return f"{called} -- {word}"
    return f"{called} {_LEADING_ON} {word}" if _LEADING_ON in context.flags else f"{called} --help"
