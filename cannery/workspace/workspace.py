"""The workspace of a build: all that a stage may touch of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from cannery.workspace.cache import Cache, default_cache
from cannery.workspace.process import Runner, run

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Progress", "Workspace", "silent"]

T = TypeVar("T")


class Progress(Protocol):
    """A function that is told what is being done, and how far it is."""

    def __call__(self, title: str, done: int = 0, total: int = 0) -> None:
        """Show that ``title`` is under way, with ``done`` of ``total`` bytes or files, both 0 where that's unknown."""
        ...


def silent(title: str, done: int = 0, total: int = 0) -> None:
    """Show no progress."""


class Workspace(msgspec.Struct, frozen=True):
    """The cache, a way to run programs, and a watcher: all that a stage may touch of the machine."""

    cache: Cache
    run: Runner = run
    progress: Progress = silent
    refresh: bool = False  # resolve requirements and the base's tag again, whatever the cache remembers
    looked_at: dict[str, Any] | None = None  # of the machine, by keys, for several builds at once; None: look each time

    def once(self, key: str, look: Callable[[], T]) -> T:
        """What ``look`` returns; where several images are built at once, it's called for the first of them alone."""
        if self.looked_at is None:
            return look()
        if key not in self.looked_at:
            self.looked_at[key] = look()
        found: T = self.looked_at[key]
        return found

    @classmethod
    def default(cls, progress: Progress = silent, *, refresh: bool = False) -> Workspace:
        """A workspace with the user's own cache and real programs; raises as :func:`default_cache` does."""
        return cls(default_cache(), run, progress, refresh)
