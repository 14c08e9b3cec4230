"""The place of measurements: a folder of their own, and cannery installed there as users install it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.projects import REPOSITORY
from benchmarks.timing import Command
from cannery.workspace.process import find_uv, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Bench", "install", "new_bench"]

_OURS = ("PYTHON", "CANNERY_", "INVOKE_", "VIRTUAL_ENV")  # variables that would change what is measured
_SPARE = {"CANNERY_KIT", "CANNERY_SOURCES"}  # these only spare the time to make a kit


@dataclass(frozen=True)
class Bench:
    """A folder to work in, an environment with cannery, and the number of repetitions."""

    folder: Path
    rounds: int  # of what is quick
    say: Callable[[str], None]  # is called with what is done next
    venv: Path

    @property
    def cache(self) -> Path:
        """The cache that builds share."""
        return self.folder / "cache"

    @property
    def env(self) -> dict[str, str]:
        """The caller's environment, without variables that would change a measurement."""
        kept = {name: value for name, value in os.environ.items() if name in _SPARE or not name.startswith(_OURS)}
        return {**kept, "CANNERY_CACHE": str(self.cache)}

    def command(self, project: Path, *argv: str, **more: str) -> Command:
        """A command in the folder ``project``; ``more`` is added to its environment."""
        return Command(argv, project, {**self.env, **more})

    def invoke(self, project: Path, *arguments: str, **more: str) -> Command:
        """An ``invoke`` command in the folder ``project``."""
        return self.command(project, str(self.venv / "bin" / "invoke"), *arguments, **more)

    def image(self, project: Path, *flags: str, **more: str) -> dict[str, Any]:
        """Build the image of ``project``; returns what ``invoke image --json`` says."""
        answer: dict[str, Any] = json.loads(self.invoke(project, "image", "--json", *flags, **more).run().output)
        return answer

    def several(self) -> int:
        """The number of repetitions of what takes seconds."""
        return max(1, self.rounds // 5)

    def installed_by_uv(self) -> Bench:
        """The same bench with cannery as uv installs it: there is no bytecode before the first import."""
        return replace(self, venv=install(self.folder / "by-uv", str(REPOSITORY), bytecode=False))


def new_bench(folder: Path, rounds: int, say: Callable[[str], None]) -> Bench:
    """Install cannery below ``folder`` with its bytecode, as pip does it."""
    say("installing cannery")
    return Bench(folder, rounds, say, install(folder / "venv", str(REPOSITORY)))


def install(venv: Path, *requirements: str, bytecode: bool = True) -> Path:
    """Make a virtual environment with ``requirements`` and their bytecode; returns its folder.

    uv is told to build cannery anew: by itself it would take one that it built before the sources changed.
    """
    uv = find_uv()
    run([uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(venv)])
    flags = ["--refresh-package=cannery", *(["--compile-bytecode"] if bytecode else [])]
    run([uv, "pip", "install", "--quiet", *flags, "--python", str(venv / "bin" / "python"), *requirements])
    return venv
