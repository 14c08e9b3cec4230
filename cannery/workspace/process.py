"""The only module that starts programs."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import msgspec

from cannery.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO

__all__ = [
    "Completed",
    "ProgramFailed",
    "Runner",
    "end_group",
    "find",
    "find_uv",
    "run",
    "run_shown",
    "start",
    "start_background",
]

_STANDARD_ERROR = 2  # its descriptor
_PATIENCE = 3  # seconds from SIGTERM to SIGKILL


class Completed(msgspec.Struct, frozen=True):
    """The output of a program that ended with exit code 0."""

    stdout: str
    stderr: str


class ProgramFailed(ToolError):  # noqa: N818  # it says what happened
    """A program ended with another exit code than 0."""

    def __init__(self, command: Sequence[str], exit_code: int, stdout: str, stderr: str) -> None:
        how = f"failed with exit code {exit_code}" if exit_code > 0 else f"was ended by {_signal(-exit_code)}"
        super().__init__(
            f"{command[0].rsplit('/', 1)[-1]} {how}",
            evidence=f"$ {shlex.join(command)}\n{(stderr or stdout).strip()}",
            step="build again; where it fails again, run the command above yourself",
        )
        self.command = tuple(command)
        self.returncode = exit_code
        self.stdout = stdout
        self.stderr = stderr


class Runner(Protocol):
    """A function that runs programs to their end: :func:`run`, :func:`run_shown`, or a fake of them."""

    def __call__(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        """Run ``command`` as :func:`run` does."""
        ...


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> Completed:
    """Run ``command`` to its end and return its output; ``env`` is added to this process's environment.

    A signal that ends this process ends the program, too. Raises :class:`ProgramFailed` for an exit code other than 0,
    :class:`ToolError` when there is no such program.
    """
    with start(command, cwd=cwd, env=env) as process:
        try:
            stdout, stderr = (_text(written) for written in process.communicate(os.fsencode(stdin)))
        except BaseException:
            _stop(process)
            raise
    if process.returncode:
        raise ProgramFailed(command, process.returncode, stdout, stderr)
    return Completed(stdout, stderr)


def run_shown(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, stdin: str = ""
) -> Completed:
    """Run ``command`` as :func:`run` does, with its output shown on standard error as it comes, and not returned."""
    with start(command, cwd=cwd, env=env, output=_STANDARD_ERROR) as process:
        try:
            process.communicate(os.fsencode(stdin))
        except BaseException:
            _stop(process)
            raise
    if process.returncode:
        raise ProgramFailed(command, process.returncode, "", "what it said is shown above")
    return Completed("", "")


def find(*names: str, step: str) -> str:
    """The path of the first program of ``names`` on ``PATH``.

    Raises :class:`ToolError` with ``step``, which tells how to install it, where there is none.
    """
    for name in names:
        if path := shutil.which(name):
            return path
    raise ToolError(f"no {' or '.join(names)} found", evidence=f"looked in {os.environ.get('PATH', '')}", step=step)


def find_uv() -> str:
    """The path of uv: the one that was installed with cannery, or else the first on ``PATH``."""
    from uv import find_uv_bin  # noqa: PLC0415  # hardly any task needs it

    try:
        return find_uv_bin()
    except FileNotFoundError:
        return find("uv", step="install it again: pip install --force-reinstall uv")


def start(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    output: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start ``command`` with pipes as its streams; ``output`` is a descriptor that it writes to instead.

    Raises :class:`ToolError` when there is no such program, or when it may not be run.
    """
    try:
        return subprocess.Popen(  # noqa: S603  # the command is a list: no shell reads it
            list(command),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
    except FileNotFoundError as error:
        raise ToolError(f"there is no program {command[0]!r}", evidence=str(error), step="install it") from error
    except PermissionError as error:
        raise ToolError(f"{command[0]} may not be run", evidence=str(error), step="let it be executed") from error
    except ValueError as error:  # a NUL, which ends what the system takes for a text
        raise ToolError(
            f"{command[0]} can't be called", evidence=f"{error} in {shlex.join(command)}", step="correct what holds it"
        ) from error


def start_background(
    command: Sequence[str],
    *,
    output: IO[bytes],
    errors: IO[bytes],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, with nothing to read, and its output in two files.

    ``env`` is its whole environment; this process's own unless given. Raises as :func:`start` does.
    """
    try:
        return subprocess.Popen(  # noqa: S603  # the command is a list: no shell reads it
            list(command),
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"{command[0]} can't be started", evidence=str(error), step="see that it's there") from error


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a program that was started in the background, and all that it has started, at once."""
    with suppress(ProcessLookupError, PermissionError):  # the first where all of them have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a program by SIGTERM, and by SIGKILL where it takes too long to clean up."""
    process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_PATIENCE)
    finally:
        process.kill()


def _text(written: bytes) -> str:
    return written.decode(errors="replace")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
