"""Commands, the time that they take, and the ratios of those times."""

from __future__ import annotations

import os
import shlex
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from resource import struct_rusage
    from typing import IO

__all__ = ["Command", "CommandError", "Cost", "Costs", "interleaved"]


class CommandError(Exception):
    """A command that is to be measured failed."""


@dataclass(frozen=True)
class Cost:
    """The cost of one run of a command and of the processes that it started."""

    seconds: float
    cpu_seconds: float
    output: str = field(repr=False)


@dataclass(frozen=True)
class Command:
    """A program that is run as a process of its own."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    umask: int = 0o022
    accepts: tuple[int, ...] = (0,)  # exit codes
    before: Callable[[], object] = bool  # is called before each run, and not measured
    says_seconds: bool = False  # the last word of its output is the time that counts, in seconds

    def run(self) -> Cost:
        """Run it to its end; raises :class:`CommandError` for an exit code that it should not have."""
        self.before()
        with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
            code, seconds, usage = self._measured(stdout, stderr)
            stdout.seek(0)
            stderr.seek(0)
            output, errors = stdout.read(), stderr.read()
        if code not in self.accepts:
            raise CommandError(f"$ {shlex.join(self.argv)}\nexit code {code}\n{output}{errors}")
        if self.says_seconds:
            seconds = float(output.split()[-1])
        return Cost(seconds, usage.ru_utime + usage.ru_stime, output)

    def _measured(self, stdout: IO[str], stderr: IO[str]) -> tuple[int, float, struct_rusage]:
        """The exit code, the seconds by the clock, and what the process and its children used."""
        began = time.perf_counter()
        try:
            process = subprocess.Popen(  # noqa: S603  # the command is a list: no shell reads it
                self.argv, cwd=self.cwd, env=self.env, umask=self.umask, stdout=stdout, stderr=stderr
            )
        except FileNotFoundError as error:
            raise CommandError(str(error)) from error
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)  # else it is waited for once more
        return process.returncode, seconds, usage


@dataclass(frozen=True)
class Costs:
    """The cost of each round of a command."""

    rounds: tuple[Cost, ...]

    @property
    def seconds(self) -> float:
        """The median by the clock."""
        return statistics.median(cost.seconds for cost in self.rounds)

    @property
    def cpu_seconds(self) -> float:
        """The median of processor time."""
        return statistics.median(cost.cpu_seconds for cost in self.rounds)

    def ratio(self, base: Costs) -> float:
        """The time of a round divided by that of ``base``'s: the median over rounds, so that slow moments cancel."""
        pairs = zip(self.rounds, base.rounds, strict=True)
        return statistics.median(one.seconds / other.seconds for one, other in pairs)

    def __str__(self) -> str:
        seconds = [cost.seconds for cost in self.rounds]
        return f"{self.seconds:.3f} s ({min(seconds):.3f} to {max(seconds):.3f}, CPU {self.cpu_seconds:.3f})"


def interleaved(rounds: int, **commands: Command) -> dict[str, Costs]:
    """The costs of the commands, run in turns ``rounds`` times after one run of each that doesn't count.

    In turns, so that a slow moment of a machine that others use too meets all commands alike.
    """
    for command in commands.values():
        command.run()
    turns = [{name: command.run() for name, command in commands.items()} for _ in range(rounds)]
    return {name: Costs(tuple(turn[name] for turn in turns)) for name in commands}
