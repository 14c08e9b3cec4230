"""The time to a server's first answer."""

from __future__ import annotations

import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.timing import Command

__all__ = ["first_answer"]

_SCRIPT = Path(__file__).with_name("first_answer.py")


def first_answer(bench: Bench, *program: str) -> Command:
    """The command that starts ``program``, the example API, and tells the seconds to its first answer."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}/number"
    arguments = ("--host=127.0.0.1", f"--port={port}", "--workers=2")
    return replace(
        bench.command(bench.folder, sys.executable, str(_SCRIPT), url, *program, *arguments), says_seconds=True
    )
