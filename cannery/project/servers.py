"""Servers of web applications: what each can serve, and the arguments that make it listen to all the world.

A program that listens on 127.0.0.1, as many do unless they're told otherwise, is not heard outside of its container.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from cannery.project.app import PORT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.project.app import Argument

__all__ = ["ANY", "SERVERS", "Interface", "Server", "bound", "listening", "server_called"]

Interface = Literal["asgi", "wsgi"]  # asgi.readthedocs.io; PEP 3333

ANY: Final = "0.0.0.0"  # noqa: S104  # in a container that's the container's own network


class Server(msgspec.Struct, frozen=True):
    """A server's command line."""

    script: str  # its console script
    serves: tuple[Interface, ...]
    address: tuple[Argument, ...]  # the arguments that bind it
    binding: tuple[str, ...]  # options that bind it, or name a file that may
    before: tuple[tuple[Interface, tuple[str, ...]], ...] = ()  # arguments that say what is served
    factory: tuple[str, ...] | None = None  # arguments for a function that returns the application; None: "name()"
    prefix: tuple[tuple[Interface, str], ...] = ()  # before the application's name
    config: str = ""  # a file that it reads by itself where that is there
    factories: bool = True  # it takes a function that returns the application
    package: str = ""  # the distribution, where that isn't called like the script

    @property
    def distribution(self) -> str:
        """The distribution that brings it."""
        return self.package or self.script

    def arguments(self, application: str, interface: Interface, *, factory: bool) -> tuple[Argument, ...]:
        """The arguments that serve ``application``, an object reference."""
        called = f"{dict(self.prefix).get(interface, '')}{application}"
        options = dict(self.before).get(interface, ())
        if factory and self.factory is None:
            called = f"{called}()"
        elif factory:
            options = (*options, *(self.factory or ()))
        return (*options, *self.address, called)


# In the order in which they are taken, where several are there.
SERVERS: Final = (
    Server(
        "uvicorn", ("asgi",), ("--host", ANY, "--port", (PORT,)),
        ("--host", "--port", "--uds", "--fd"), factory=("--factory",),
    ),
    Server(
        "gunicorn", ("wsgi",), ("--bind", (f"{ANY}:", PORT)),
        ("-b", "--bind", "-c", "--config"), config="gunicorn.conf.py",
    ),
    Server(
        "hypercorn", ("asgi", "wsgi"), ("--bind", (f"{ANY}:", PORT)),
        ("-b", "--bind", "-c", "--config", "--insecure-bind", "--quic-bind"), prefix=(("wsgi", "wsgi:"),),
    ),
    Server(
        "granian", ("asgi", "wsgi"), ("--host", ANY, "--port", (PORT,)), ("--host", "--port", "--uds"),
        before=(("asgi", ("--interface", "asgi")), ("wsgi", ("--interface", "wsgi"))), factory=("--factory",),
    ),
    Server(
        "daphne", ("asgi",), ("-b", ANY, "-p", (PORT,)), ("-b", "--bind", "-p", "--port", "-u", "-e"), factories=False,
    ),
    Server(
        "waitress-serve", ("wsgi",), ((f"--listen={ANY}:", PORT),),
        ("--listen", "--host", "--port", "--unix-socket"), factory=("--call",), package="waitress",
    ),
    Server("cheroot", ("wsgi",), ("--bind", (f"{ANY}:", PORT)), ("--bind",), factories=False),
)  # fmt: skip


def server_called(script: str) -> Server | None:
    """The server whose console script has that name."""
    return next((server for server in SERVERS if server.script == script), None)


def bound(script: str, arguments: Sequence[Argument], files: Sequence[str]) -> tuple[Argument, ...]:
    """The arguments that bind the server ``script``, where neither its ``arguments`` do nor one of the ``files``.

    ``files`` are those at the top of the project, from which a server may read by itself where it listens.
    """
    server = server_called(script)
    if server is None or server.config in files:
        return ()
    words = [word if isinstance(word, str) else str(word[0]) for word in arguments]
    options = [word.partition("=")[0] for word in words if word.startswith("-")]
    given = any(
        option == each or (len(each) == 2 and option.startswith(each) and not option.startswith("--"))  # noqa: PLR2004
        for option in options
        for each in server.binding
    )
    return () if given else server.address


def listening(arguments: Sequence[Argument], env: dict[str, str]) -> tuple[str, ...]:
    """The port that ``arguments`` name: ``--port 8000``, ``--bind=0.0.0.0:8000``, or ``8000`` by itself; or none.

    A variable counts as what ``env`` has, or as its default.
    """
    words = [_value(word, env) for word in arguments]
    previous = ""
    for word in words:
        option, value = _option(word) if word.startswith("-") else (previous, word)
        port = value.rpartition(":")[2]
        named = option in {"-p", "--port", "-b", "--bind", "--listen", "--server.port"}
        if port.isdecimal() and 0 < int(port) < 65536 and (named or ":" in value):  # noqa: PLR2004
            return (port,)
        previous = word if word.startswith("-") else ""
    return ()


def _option(word: str) -> tuple[str, str]:
    """The option in a word and its value: ``--port=8000``, ``-p8000``; the value is empty where it's another word."""
    if not word.startswith("--") and len(word) > 2:  # noqa: PLR2004
        return word[:2], word[2:].removeprefix("=")
    option, _, value = word.partition("=")
    return option, value


def _value(word: Argument, env: dict[str, str]) -> str:
    if isinstance(word, str):
        return word
    return "".join(part if isinstance(part, str) else env.get(part.name) or part.default for part in word)
