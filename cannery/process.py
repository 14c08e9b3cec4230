"""The only module that starts programs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cannery.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Completed", "ProgramFailed", "Runner", "find", "find_uv", "run"]


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program that ended with 0 wrote."""

    stdout: str
    stderr: str


class ProgramFailed(ToolError):  # noqa: N818  # it says what happened
    """A program ended with another exit code than 0."""

    def __init__(self, command: Sequence[str], exit_code: int, stdout: str, stderr: str) -> None:
        super().__init__(
            f"{command[0].rsplit('/', 1)[-1]} failed with exit code {exit_code}",
            evidence=f"$ {shlex.join(command)}\n{(stderr or stdout).strip()}",
        )
        self.command = tuple(command)
        self.returncode = exit_code
        self.stdout = stdout
        self.stderr = stderr


class Runner(Protocol):
    """Runs a program to its end: :func:`run`, or a fake of it."""

    def __call__(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        """Run ``command`` and return what it wrote."""
        ...


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> Completed:
    """Run ``command`` to its end; ``env`` is added to this process's environment.

    Raises :class:`ProgramFailed` for an exit code other than 0, :class:`ToolError` when there is no such program.
    """
    try:
        done = subprocess.run(  # noqa: S603  # the command is a list: no shell reads it
            list(command),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise ToolError(f"there is no program {command[0]!r}", evidence=str(error)) from error
    except PermissionError as error:
        raise ToolError(f"{command[0]} may not be run", evidence=str(error)) from error
    if done.returncode:
        raise ProgramFailed(command, done.returncode, done.stdout, done.stderr)
    return Completed(done.stdout, done.stderr)


def find(*names: str, step: str) -> str:
    """Return the path of the first program of ``names`` that there is; ``step`` tells how to install it."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise ToolError(f"no {' or '.join(names)} found", evidence=f"looked in {os.environ.get('PATH', '')}", step=step)


def find_uv() -> str:
    """Return the path of uv: the one that came with cannery, or else the first on the path."""
    from uv import find_uv_bin  # noqa: PLC0415  # hardly any task needs it

    try:
        return find_uv_bin()
    except FileNotFoundError:
        return find("uv", step="install it again: pip install --force-reinstall uv")
