"""Progress on standard error: a bar on a terminal, a line a step elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cannery.workspace.streams import show, visible
from cannery.workspace.workspace import Workspace, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from cannery.workspace.workspace import Progress

__all__ = ["showing_progress", "shown_workspace"]


class _Lines:
    """A line for each step, when it begins."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, title: str, done: int = 0, total: int = 0) -> None:  # noqa: ARG002  # lines don't move
        if title != self._last:
            show(f"{title} …")
            self._last = title


class _Bars:
    """A bar that moves; it's made at the first step, as rich takes time to import."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._last = ""

    def __call__(self, title: str, done: int = 0, total: int = 0) -> None:
        bar, title = self._bar or self._start(), visible(title)
        if title != self._last or self._task is None:
            if self._task is not None:
                bar.remove_task(self._task)
            self._task = bar.add_task(title, total=total or None)
            self._last = title
        bar.update(self._task, completed=done, total=total or None)

    def _start(self) -> Bar:
        from rich.console import Console  # noqa: PLC0415  # slow to import
        from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=False),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._bar.start()
        return self._bar

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def showing_progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Progress that is shown on standard error, unless ``quiet``; a bar is gone when the block ends."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        bars = _Bars()
        try:
            yield bars
        finally:
            bars.stop()
    else:
        yield _Lines()


@contextmanager
def shown_workspace(*, quiet: bool = False, refresh: bool = False) -> Iterator[Workspace]:
    """The user's workspace, with progress on standard error unless ``quiet``."""
    with showing_progress(quiet=quiet) as progress:
        yield Workspace.default(progress, refresh=refresh)
