"""Sanic's server with its worker processes."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from sanic import Sanic
from sanic.worker.loader import AppLoader

from demo_server.core import create_app

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["main"]

_PORTS = range(1024, 65536)  # those below are for privileged users


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop. Each worker is a new process, which makes the application once more."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # until Sanic takes over, which starts processes before that
    loader = AppLoader(factory=create_app)
    app = loader.load()
    app.prepare(host=options.host, port=options.port, workers=options.workers, motd=False, access_log=False)
    Sanic.serve(primary=app, app_loader=loader)


def _options(arguments: Sequence[str] | None, environ: Mapping[str, str] = os.environ) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo-server", description="Serve a catalogue of books, and look at texts.")
    for name, kind, default in (("host", str, "0.0.0.0"), ("port", _port, "8000"), ("workers", _workers, "2")):  # noqa: S104
        variable = f"DEMO_SERVER_{name.upper()}"
        parser.add_argument(
            f"--{name}",
            type=kind,
            default=environ.get(variable) or default,
            help=f"default: {variable}, or {default}",
        )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) not in _PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from {_PORTS.start} to {_PORTS.stop - 1}")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return int(text)
