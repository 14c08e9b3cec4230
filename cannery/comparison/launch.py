"""How a program is started to be measured: in a container of the embedded runner, or as a program of this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

from cannery.comparison.processes import descendants
from cannery.containers.background import start_container
from cannery.containers.sandbox.container import container_in
from cannery.workspace.process import start_background

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cannery.containers.limits import Limits

__all__ = ["ContainerLaunch", "Launch", "Launched", "ProgramLaunch"]

_INIT_DEPTH = 2  # below the process that calls the runner: a monitor, then process 1 of the container


class Launched(Protocol):
    """A program that was started."""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process to wait for."""
        ...

    def began(self) -> float | None:
        """When the program was started, by :func:`time.monotonic`; None while it isn't yet."""
        ...

    def ended(self) -> float | None:
        """When it ended, where that is known better than by the end of ``process``."""
        ...

    def processes(self) -> list[int]:
        """The processes that the program consists of, and none of those that started it."""
        ...


class Launch(Protocol):
    """A program that can be started any number of times."""

    def start(self, arguments: Sequence[str], output: IO[bytes], errors: IO[bytes], scratch: Path) -> Launched:
        """Start it, by ``arguments`` or those that it has by itself; ``scratch`` is an empty folder of its own."""
        ...


@dataclass(frozen=True, slots=True)
class ContainerLaunch:
    """The program of an image."""

    root: Path  # with the image's files
    config: Mapping[str, object]  # of the image
    limits: Limits

    def start(self, arguments: Sequence[str], output: IO[bytes], errors: IO[bytes], scratch: Path) -> Launched:
        """Start a container; its time counts from the call of the runner."""
        container = container_in(self.root, self.config, arguments, limits=self.limits)
        clock = scratch / "clock"
        return _Contained(start_container(container, output, errors, clock), clock)


@dataclass(frozen=True, slots=True)
class ProgramLaunch:
    """A program of this machine, with a home and a folder for temporary files that are empty at each start."""

    command: tuple[str, ...]
    defaults: tuple[str, ...]  # its arguments where none are given
    folder: Path  # that it's started in
    variables: Mapping[str, str]  # all that it sees besides

    def start(self, arguments: Sequence[str], output: IO[bytes], errors: IO[bytes], scratch: Path) -> Launched:
        """Start it."""
        home, temporary = scratch / "home", scratch / "tmp"
        home.mkdir()
        temporary.mkdir()
        variables = {**self.variables, "HOME": str(home), "TMPDIR": str(temporary)}
        command = [*self.command, *(arguments or self.defaults)]
        began = time.monotonic()
        process = start_background(command, cwd=self.folder, env=variables, output=output, errors=errors)
        return _Started(process, began)


@dataclass(frozen=True, slots=True)
class _Contained:
    process: subprocess.Popen[bytes]
    clock: Path  # has when the runner was called, and when it returned

    def began(self) -> float | None:
        return next(iter(self._times()), None)

    def ended(self) -> float | None:
        times = self._times()
        return times[1] if len(times) > 1 else None

    def processes(self) -> list[int]:
        above = [self.process.pid]
        for _ in range(_INIT_DEPTH):
            above = [child for pid in above for child in descendants(pid)[:1]]
        return [each for init in above for each in descendants(init)]

    def _times(self) -> list[float]:
        try:
            return list(map(float, self.clock.read_text(encoding="ascii").split()))
        except FileNotFoundError:
            return []


@dataclass(frozen=True, slots=True)
class _Started:
    process: subprocess.Popen[bytes]
    start: float

    def began(self) -> float:
        return self.start

    def ended(self) -> None:
        return None

    def processes(self) -> list[int]:
        return [self.process.pid, *descendants(self.process.pid)]
