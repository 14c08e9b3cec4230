"""What a peer is, and what it's given to pack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from cannery.workspace.process import find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.workspace.process import Runner

__all__ = ["START", "Peer", "PeerStage", "version_of"]

START: Final = "start_packed_program"  # the module whose function main() starts the program


@dataclass(frozen=True, slots=True)
class PeerStage:
    """A program as a peer takes it."""

    name: str
    code: Path  # a folder with the app's own files, from which they are imported, and the module START
    modules: tuple[str, ...]  # that START imports by name
    environment: Path  # a virtual environment with what the program requires, and nothing else
    requirements: Path  # the same as pins, for pip

    @property
    def python(self) -> str:
        """The interpreter that the program is for."""
        return str(self.environment / "bin" / "python3")


class Packing(Protocol):
    """A function that makes a file of a program."""

    def __call__(self, stage: PeerStage, target: Path, caches: Mapping[str, str], run: Runner) -> None:
        """Write the program to ``target``; ``caches`` are variables that lead to folders of this comparison's own.

        Raises :class:`ProgramFailed` where the tool refuses.
        """
        ...


class Peer(NamedTuple):
    """A tool that packs programs into one file."""

    name: str
    tool: str  # its name on PyPI
    needs_python: bool  # of the machine that runs what it makes
    pack: Packing


def version_of(peer: Peer, python: str, run: Runner) -> str:
    """The version of the tool, which uv fetches where it isn't there."""
    command = [find_uv(), "tool", "run", "--quiet", "--python", python, peer.tool, "--version"]
    done = run(command)
    return (done.stdout or done.stderr).strip().split()[-1]
