"""How the server is told where to listen: the command line beats the environment."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Options", "read_options"]

_PORTS = range(1024, 65536)  # those below are for privileged users


@dataclass(frozen=True, slots=True)
class Options:
    """Where the server listens, and with how many processes."""

    host: str
    port: int
    workers: int


def read_options(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> Options:
    """Read ``arguments``, the program's own where none are given; ends the program with a message for a wrong one."""
    parser = argparse.ArgumentParser(prog="random-api", description="Serve random numbers over HTTP.")
    for name, kind, default, described in (
        ("host", str, "0.0.0.0", "address to listen on"),  # noqa: S104  # in a container, every address is its own
        ("port", _port, "8000", "port to listen on"),
        ("workers", _workers, "2", "number of processes"),
    ):
        variable = f"RANDOM_API_{name.upper()}"
        text = f"{described} (default: {variable}, or {default})"
        parser.add_argument(f"--{name}", type=kind, default=environ.get(variable) or default, help=text)
    return Options(**vars(parser.parse_args(arguments)))


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) not in _PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from {_PORTS.start} to {_PORTS.stop - 1}")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return int(text)
