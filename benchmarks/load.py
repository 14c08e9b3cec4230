"""An image that an engine has already: the requests that are sent again, and the time that they take."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.bench import install
from benchmarks.figures import Figure
from benchmarks.projects import REPOSITORY, sample
from benchmarks.timing import CommandError, interleaved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.bench import Bench

__all__ = ["load"]

_CHUNK = 1 << 16
_UPLOAD = b"POST /"


def load(bench: Bench) -> Iterator[Figure]:
    """The unchanged sample, with Docker and with no engine; nothing where no Docker answers on a socket."""
    engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    try:
        bench.command(bench.folder, "docker", "version").run()
    except CommandError:
        return
    if not engine.startswith("/"):
        return
    bench = replace(bench, venv=install(bench.folder / "for-load", f"{REPOSITORY}[docker]"))
    project = sample(bench.folder / "load")
    flags = ("--engine", "docker", "--tag", "cannery-benchmark")
    bench.image(project, *flags)
    with _overheard(engine, bench.folder / "overheard") as sent:
        bench.image(project, *flags, DOCKER_HOST=f"unix://{bench.folder}/overheard")
    said = b"".join(sent)
    yield Figure(
        "load of an unchanged image: requests that send something", said.count(_UPLOAD), "requests", 0,
        f"{len(said)} bytes go to the engine, which ask whether it has the image",
    )  # fmt: skip
    alone = (*flags[2:], "--engine", "none")
    costs = interleaved(
        bench.rounds,
        engine=bench.invoke(project, "image", *flags),
        alone=bench.invoke(project, "image", *alone),
    )
    told = f"{costs['engine']}; without an engine: {costs['alone']}"
    yield Figure(
        "load of an unchanged image: against no engine", costs["engine"].ratio(costs["alone"]), "×", None, told
    )
    bench.command(project, "docker", "image", "rm", "my-project:cannery-benchmark").run()


@contextmanager
def _overheard(engine: str, path: Path) -> Iterator[list[bytes]]:
    """A socket at ``path`` that leads to the engine's, and a list that grows by what is sent to it."""
    sent: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=_serve, args=(listener, engine, sent), daemon=True).start()
        yield sent
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, engine: str, sent: list[bytes]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(engine)
            threading.Thread(target=_copy, args=(client, server, sent), daemon=True).start()
            threading.Thread(target=_copy, args=(server, client, []), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket, heard: list[bytes]) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            heard.append(data)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
