"""What a stage may touch of the outside: the cache, programs, and whoever watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cannery.workspace.cache import Cache, default_cache
from cannery.workspace.process import Runner, run

__all__ = ["Progress", "Workspace", "silent"]


class Progress(Protocol):
    """Is told what is being done, and how far it is."""

    def __call__(self, title: str, done: int = 0, total: int = 0) -> None:
        """``title`` is under way; ``done`` of ``total`` bytes or files where that is known."""
        ...


def silent(title: str, done: int = 0, total: int = 0) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The cache, a way to run programs, and a watcher: all that a stage may touch of the outside."""

    cache: Cache
    run: Runner = run
    progress: Progress = silent
    refresh: bool = False  # ask the package index again, whatever it answered before

    @classmethod
    def default(cls, progress: Progress = silent, *, refresh: bool = False) -> Workspace:
        """The user's own cache and real programs."""
        return cls(default_cache(), run, progress, refresh)
