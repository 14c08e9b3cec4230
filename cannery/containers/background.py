"""Containers in a process of their own beside this one, with their output in files.

The runner and engines' clients stay with the process that calls them until the program ends; here that process is
another Python with the modules of this one.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from cannery.containers.sandbox.container import Container
from cannery.errors import CanneryError, ImageError, MachineError
from cannery.workspace.process import start_background

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.containers.engine.discovery import Choice
    from cannery.containers.engine.engine import ContainerRequest

__all__ = ["REFUSED", "main", "start_container", "start_in_engine"]

REFUSED: Final = 125  # exit code where there's no container: the last line on standard error says why, as JSON
_START: Final = "import sys; sys.path[:] = {path!r}; from cannery.containers.background import main; main({about!r})"


def start_container(
    container: Container, output: IO[bytes], errors: IO[bytes], clock: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start ``container`` by the embedded runner; SIGTERM to the process that comes back reaches the program.

    When the runner is called, and when it has returned, is written to the file ``clock``, a line each, in seconds of
    :func:`time.monotonic`, which all processes share: that leaves out the start of the Python that calls it.
    """
    return _start(container, "none", output, errors, clock)


def start_in_engine(
    choice: Choice, request: ContainerRequest, output: IO[bytes], errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start the container of ``request`` in the engine that ``choice`` means, as :func:`start_container` does."""
    return _start(request, choice, output, errors)


def main(about: bytes) -> None:
    """Run what one of the functions above described to its end, in the process that they started."""
    try:
        sys.exit(_run(*pickle.loads(about)))  # noqa: S301  # the process that started this one has made it
    except ImageError as error:  # the image's own fault, which whoever runs it sees
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except CanneryError as error:
        sys.stderr.write(f"\n{json.dumps([error.what, error.evidence, error.step])}\n")
        sys.exit(REFUSED)


def _start(
    about: Container | ContainerRequest, choice: Choice, output: IO[bytes], errors: IO[bytes], clock: Path | None = None
) -> subprocess.Popen[bytes]:
    code = _START.format(path=sys.path, about=pickle.dumps((about, choice, clock)))
    return start_background([sys.executable, "-I", "-c", code], output=output, errors=errors)


def _run(about: Container | ContainerRequest, choice: Choice, clock: Path | None) -> int:
    from cannery.containers.sandbox.privileges import die_with_parent  # noqa: PLC0415

    die_with_parent()
    if isinstance(about, Container):
        from cannery.containers.sandbox.runner import run_container  # noqa: PLC0415

        with _timed(clock):
            return run_container(about)
    from cannery.containers.engine.discovery import find_engine  # noqa: PLC0415

    engine = find_engine(choice)
    if engine is None:
        raise MachineError("no engine answers", step="start Docker or Podman")
    return engine.run(about, tell=lambda _: None)  # what is said here would seem the program's


@contextmanager
def _timed(clock: Path | None) -> Iterator[None]:
    if clock is None:
        yield
        return
    with clock.open("w", buffering=1, encoding="ascii") as file:
        file.write(f"{time.monotonic()}\n")
        try:
            yield
        finally:
            file.write(f"{time.monotonic()}\n")
