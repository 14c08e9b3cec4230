"""What a program is asked: a call with arguments, requests over HTTP, or that its modules can be imported."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cannery.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Call", "Imports", "Question", "Requests", "Url", "called", "is_address", "questions", "requests", "served"]

_LOCAL: Final = {None, "", "localhost", "127.0.0.1", "0.0.0.0"}  # noqa: S104  # how people write a program's own address
_STEPS: Final = {  # by the setting that is wrong
    "check": 'write arguments or an address of the program:  check = ["--version", "http://:8000/health"]',
    "trace": 'write a command, or an address of the program:  trace = ["pytest tests", "http://:8000/"]',
}


@dataclass(frozen=True, slots=True)
class Call:
    """The program, or another command of the image, run to its end."""

    arguments: tuple[str, ...]  # none: those that the image has by itself
    command: str | None = None  # its name; None for the program

    def __str__(self) -> str:
        """As it stands in a report."""
        return shlex.join(filter(None, (self.command, *self.arguments))) or "the program"


@dataclass(frozen=True, slots=True)
class Url:
    """An address of the program's own."""

    text: str  # as it was given
    port: int
    target: str  # the path and the query (RFC 9112, 3.2.1)


@dataclass(frozen=True, slots=True)
class Requests:
    """The program, started once, asked by GET over HTTP, and ended by SIGTERM."""

    urls: tuple[Url, ...]
    vital: bool = True  # without an answer the program doesn't work

    def __str__(self) -> str:
        """As it stands in a report."""
        return " ".join(url.text for url in self.urls)


@dataclass(frozen=True, slots=True)
class Imports:
    """Modules that are imported in one Python, one after the other."""

    modules: tuple[str, ...]
    entry: str | None = None  # the one among them without which there is no program

    def __str__(self) -> str:
        """As it stands in a report."""
        return f"imports of {len(self.modules)} modules" if len(self.modules) != 1 else f"import of {self.modules[0]}"


Question = Call | Requests | Imports


def questions(given: Iterable[str], commands: Iterable[str] = ()) -> tuple[Question, ...]:
    """The questions that texts stand for: each is an address, or words as a shell has them.

    Words are arguments of the program, or of the one of ``commands`` that the first of them names. All addresses are
    asked of one start of the program, after the calls. Raises :class:`ConfigurationError` for a text that is neither.
    """
    texts = tuple(given)
    calls = tuple(called(_words(text), commands) for text in texts if not is_address(text))
    return (*calls, *requests(texts, "check"))


def is_address(text: str) -> bool:
    """True for an address of HTTP, and not words as a shell has them: ``sqlite://`` is an argument."""
    return re.match(r"https?://", text) is not None


def requests(given: Iterable[str], setting: str) -> tuple[Requests, ...]:
    """One question by the addresses among the texts of a ``setting``; none where there are none.

    Raises :class:`ConfigurationError` for an address that is not the program's own.
    """
    urls = tuple(_url(text, setting) for text in given if is_address(text))
    return (Requests(urls),) if urls else ()


def called(words: Sequence[str], commands: Iterable[str] = ()) -> Call:
    """The call that ``words`` mean, of the program or of the one of ``commands`` that they begin with."""
    if words and words[0] in commands:
        return Call(tuple(words[1:]), words[0])
    return Call(tuple(words))


def served(port: int) -> Requests:
    """The question that a server is asked where nobody says what: whether it answers the same at all."""
    return Requests((_url(f"http://:{port}/", "check"),), vital=False)


def _url(text: str, setting: str) -> Url:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port or 80
    except ValueError as error:
        raise ConfigurationError(
            f"{setting} = {text!r} is no address", evidence=str(error), step=_STEPS[setting]
        ) from error
    if parts.scheme != "http" or host not in _LOCAL:
        raise ConfigurationError(
            f"{setting} = {text!r} is no address of the program",
            evidence="it is asked by HTTP on this machine, whoever else listens elsewhere",
            step=_STEPS[setting],
        )
    query = f"?{parts.query}" if parts.query else ""
    return Url(text, port, f"{parts.path or '/'}{query}")


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ConfigurationError(
            f"check = {text!r} can't be split", evidence=str(error), step=_STEPS["check"]
        ) from error
