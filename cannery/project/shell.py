"""A command as people write it in a line, split into words as a shell does it (POSIX, 2.3 and 2.9.1).

An image has no shell. What needs none can be started all the same: words, quotes, variables with their defaults, and
assignments before the first word. What needs one is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from cannery.project.app import PORT, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.project.app import Argument

__all__ = ["NeedsShell", "SimpleCommand", "plain", "shown", "simple_command", "simple_commands"]

# Compiled where a command line is read, which few builds do
_WORDS: Final = r"""(?P<blank>(?:[ \t]|\\\n)+)
      | (?P<single>'[^']*')
      | (?P<double>"(?:[^"\\]|\\.)*")
      | \\(?P<escaped>.)
      | \$(?:\{(?P<braced>[A-Za-z_]\w*)(?:(?::?[-=])(?P<default>[^}$`]*))?\}|(?P<name>[A-Za-z_]\w*))
      | (?P<operator>&&|\|\||;|\n|\||&|<|>|\(|\)|`|\$[({]|"|')
      | (?P<comment>(?<!\S)\#[^\n]*)
      | (?P<text>[^ \t\n'"\\$&|;<>()`]+|\$)"""
_FLAGS: Final = re.VERBOSE | re.DOTALL
_ASSIGNMENT: Final = r"([A-Za-z_]\w*)=(.*)"
_BETWEEN: Final = {"&&", ";", "\n"}  # commands that run one after the other


class NeedsShell(ValueError):  # noqa: N818  # it says what is so
    """A command has something in it that only a shell does."""

    def __init__(self, operator: str, text: str = "") -> None:
        super().__init__(operator)
        self.operator = operator
        self.text = text  # the command, where whoever asks hasn't got it


class SimpleCommand(msgspec.Struct, frozen=True):
    """Words, and the variables that are set for them."""

    words: tuple[Argument, ...]
    env: tuple[tuple[str, Argument], ...] = ()


def simple_command(text: str) -> SimpleCommand:
    """The one command in ``text``; raises :class:`NeedsShell` where there are several, or a shell is needed."""
    commands = simple_commands(text)
    if len(commands) != 1:
        raise NeedsShell("&&" if commands else "")
    return commands[0]


def simple_commands(text: str) -> list[SimpleCommand]:
    """The commands in ``text`` that run one after the other; raises :class:`NeedsShell` where they do anything else."""
    lines: list[list[list[str | Variable]]] = [[]]
    word: list[str | Variable] | None = None
    for token in re.finditer(_WORDS, text.strip(), _FLAGS):
        kind, found = str(token.lastgroup), token[0]
        if token["braced"] or token["name"]:
            word = [] if word is None else word
            word.append(_variable(token))
        elif kind == "comment":
            continue
        elif kind in {"blank", "operator"}:
            if word is not None:
                lines[-1].append(word)
            word = None
            if kind == "operator":
                if found not in _BETWEEN:
                    raise NeedsShell(found)
                lines.append([])
        else:
            word = [] if word is None else word
            word += _unquoted(kind, found)
    if word is not None:
        lines[-1].append(word)
    return [_assigned([_argument(each) for each in line]) for line in lines if line]


def plain(word: Argument) -> str | None:
    """The word, where no variable decides what it is."""
    return word if isinstance(word, str) else None


def shown(words: Sequence[Argument]) -> str:
    """``words`` as they would be typed."""
    import shlex  # noqa: PLC0415

    parts = []
    for word in words:
        if isinstance(word, str):
            parts.append(shlex.quote(word))
        else:
            parts.append("".join(part if isinstance(part, str) else str(part) for part in word))
    return " ".join(parts)


def _unquoted(kind: str, found: str) -> list[str | Variable]:
    """What stands for a token in its word."""
    match kind:
        case "single":
            return [found[1:-1]]
        case "double":
            return _in_quotes(found[1:-1])
        case "escaped":
            return [found[1:]]
        case _:
            return [found]


def _variable(token: re.Match[str]) -> Variable:
    """The variable of a token; a port that nobody names is the usual one."""
    name = token["braced"] or token["name"]
    return Variable(name, token["default"] or (PORT.default if name == PORT.name else ""))


def _in_quotes(text: str) -> list[str | Variable]:
    parts: list[str | Variable] = []
    for token in re.finditer(r"\\([$`\"\\])|(\$[({`]?[^$`\"\\]*)|([^$\\]+|\\)", text):
        if token[1]:
            parts.append(token[1])
        elif token[2] and (found := re.match(_WORDS, token[2], _FLAGS)) and (found["braced"] or found["name"]):
            parts += [_variable(found), token[2][found.end() :]]
        elif token[2] and token[2].startswith(("$(", "${")):
            raise NeedsShell(token[2][:2])
        elif "`" in token[0]:
            raise NeedsShell("`")
        else:
            parts.append(token[0])
    return parts or [""]


def _argument(parts: list[str | Variable]) -> Argument:
    """A word of these parts: text, unless a variable is among them."""
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return "".join(texts)
    joined: list[str | Variable] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return tuple(joined)


def _assigned(words: list[Argument]) -> SimpleCommand:
    """The command of ``words``, the first of which may be assignments."""
    env: list[tuple[str, Argument]] = []
    for position, word in enumerate(words):
        first = word if isinstance(word, str) else word[0]
        found = re.fullmatch(_ASSIGNMENT, first, re.DOTALL) if isinstance(first, str) else None
        if found is None:
            return SimpleCommand(tuple(words[position:]), tuple(env))
        rest = [found[2]] if isinstance(word, str) else [found[2], *word[1:]]
        env.append((found[1], _argument(list(rest))))
    return SimpleCommand((), tuple(env))
