"""Where a program is started to be asked: over an image's files, by an engine, or in a virtual environment."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

from cannery.containers.background import start_container, start_in_engine
from cannery.containers.engine.engine import ContainerRequest
from cannery.containers.sandbox.container import container_in
from cannery.workspace.process import start_background

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cannery.containers.engine.discovery import Choice
    from cannery.containers.limits import Limits

__all__ = ["EngineImage", "Environment", "Streams", "UnpackedImage", "Venue"]


@dataclass(frozen=True, slots=True)
class Streams:
    """The files that a program writes its standard output and standard error to."""

    output: IO[bytes]
    errors: IO[bytes]


class Venue(Protocol):
    """Where a program can be started."""

    @property
    def roots(self) -> tuple[str, ...]:
        """The folders there that imports of the app's own modules start from."""
        ...

    def program(
        self, arguments: Sequence[str], streams: Streams, command: str | None = None
    ) -> subprocess.Popen[bytes]:
        """Start the program, or another ``command``; with no ``arguments``, by those that the image has by itself."""
        ...

    def python(self, arguments: Sequence[str], streams: Streams) -> subprocess.Popen[bytes]:
        """Start the Python that is there."""
        ...


@dataclass(frozen=True, slots=True)
class UnpackedImage:
    """An image that the embedded runner runs."""

    root: Path  # with its files
    config: Mapping[str, Any]  # of the image (OCI image-spec v1.1, config.md)
    interpreter: str  # its path in the image
    programs: str  # the folder of its commands
    roots: tuple[str, ...]
    limits: Limits

    def program(
        self, arguments: Sequence[str], streams: Streams, command: str | None = None
    ) -> subprocess.Popen[bytes]:
        """Start the program as the image's configuration has it."""
        return self._start(arguments, command and f"{self.programs}/{command}", streams)

    def python(self, arguments: Sequence[str], streams: Streams) -> subprocess.Popen[bytes]:
        """Start the image's Python in the place of its program, with all the limits of that."""
        return self._start(arguments, self.interpreter, streams)

    def _start(self, arguments: Sequence[str], program: str | None, streams: Streams) -> subprocess.Popen[bytes]:
        container = container_in(self.root, self.config, arguments, program, limits=self.limits)
        return start_container(container, streams.output, streams.errors)


@dataclass(frozen=True, slots=True)
class EngineImage:
    """An image that an engine has, and runs."""

    reference: str
    engine: Choice
    interpreter: str
    programs: str
    roots: tuple[str, ...]
    ports: tuple[str, ...]  # that are asked
    scratch: tuple[str, ...]
    executable_tmp: bool  # the program runs files in /tmp
    limits: Limits

    def program(
        self, arguments: Sequence[str], streams: Streams, command: str | None = None
    ) -> subprocess.Popen[bytes]:
        """Start the program as the image's configuration has it."""
        return self._start(tuple(arguments), (f"{self.programs}/{command}",) if command else None, streams)

    def python(self, arguments: Sequence[str], streams: Streams) -> subprocess.Popen[bytes]:
        """Start the image's Python in the place of its program, with all the limits of that."""
        return self._start(tuple(arguments), (self.interpreter,), streams)

    def _start(
        self, command: tuple[str, ...], entrypoint: tuple[str, ...] | None, streams: Streams
    ) -> subprocess.Popen[bytes]:
        request = ContainerRequest(
            "check",
            self.reference,
            command,
            entrypoint,
            ports=self.ports,
            scratch=self.scratch,
            executable_tmp=self.executable_tmp,
            limits=self.limits,
        )
        return start_in_engine(self.engine, request, streams.output, streams.errors)


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment."""

    command: tuple[str, ...]  # that starts the program
    defaults: tuple[str, ...]  # its arguments where none are given
    interpreter: str
    programs: str
    roots: tuple[str, ...]
    folder: Path  # that the program is started in
    variables: Mapping[str, str]  # all that it sees

    def program(
        self, arguments: Sequence[str], streams: Streams, command: str | None = None
    ) -> subprocess.Popen[bytes]:
        """Start the program as a user of the environment does."""
        if command is not None:
            return self._start([f"{self.programs}/{command}", *arguments], streams)
        return self._start([*self.command, *(arguments or self.defaults)], streams)

    def python(self, arguments: Sequence[str], streams: Streams) -> subprocess.Popen[bytes]:
        """Start the environment's Python."""
        return self._start([self.interpreter, *arguments], streams)

    def _start(self, command: Sequence[str], streams: Streams) -> subprocess.Popen[bytes]:
        home = tempfile.mkdtemp(dir=self.variables["HOME"])  # as empty as an image's each time
        variables = {**self.variables, "HOME": home}
        return start_background(command, cwd=self.folder, env=variables, output=streams.output, errors=streams.errors)
