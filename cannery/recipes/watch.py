"""An app that runs while it's worked on: what changes goes into its container, and the program starts again.

Nothing is packed for that. The app's plan is made anew, as for an image, and what differs from the plan that runs is
handed to the place where it runs.
"""

from __future__ import annotations

import importlib.util
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from cannery.containers.engine.discovery import find_engine
from cannery.errors import CanneryError, ToolError
from cannery.recipes.build import mending, plan_of
from cannery.recipes.watched import InEngine, InSandbox
from cannery.workspace.extras import installing
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cannery.project.app import App
    from cannery.recipes.plan import Plan
    from cannery.recipes.watched import Shown, WatchedPlace
    from cannery.workspace.workspace import Workspace

__all__ = ["watch"]

_SETTLED: Final = 50  # milliseconds without another change: editors write a file in several steps


def watch(load: Callable[[], App], arguments: Sequence[str], shown: Shown, tell: Callable[[str], object]) -> int:
    """Run the app that ``load`` gives, with ``arguments``, and change it with its files; return its exit code.

    ``shown`` gives a workspace whose progress is shown as long as its context lasts; ``tell`` is given a line for each
    change. An app that can't be built is told, and what runs goes on. Raises :class:`ToolError` where watchfiles isn't
    installed.
    """
    if importlib.util.find_spec("watchfiles") is None:
        raise ToolError("watchfiles is not installed", step=installing("watch"))
    app = load()
    engine = find_engine(app.settings.engine)
    place: WatchedPlace = InSandbox(arguments, shown, tell) if engine is None else InEngine(engine, arguments, shown)
    with shown() as workspace:
        plan: Plan | None = mending(lambda: plan_of(app, workspace), workspace)
    with _followed(app, load, place, replace(workspace, progress=silent), tell) as changes:
        while plan is not None:
            code = place.run(plan)
            plan = changes.take()
    return code


class _Changes:
    """Hands plans from the thread that makes them to the one that runs them."""

    def __init__(self, load: Callable[[], App], place: WatchedPlace, workspace: Workspace) -> None:
        self._load = load
        self._place = place
        self._workspace = workspace
        self._next: Plan | None = None

    def take(self) -> Plan | None:
        """The plan that needs another container; None where what ran has ended for another reason."""
        plan, self._next = self._next, None
        return plan

    def make(self) -> str:
        """Make the plan anew, and what runs by it; what was done, in words."""
        plan = mending(lambda: plan_of(self._load(), self._workspace), self._workspace)
        done = self._place.change(plan)
        if done is None:
            self._next = plan
            self._place.end()
        return done or "it starts in another container"


@contextmanager
def _followed(
    app: App, load: Callable[[], App], place: WatchedPlace, workspace: Workspace, tell: Callable[[str], object]
) -> Iterator[_Changes]:
    """Changes of the app's files, looked for in a thread of its own as long as the context lasts."""
    from watchfiles import DefaultFilter  # noqa: PLC0415  # an extra
    from watchfiles import watch as changes_in  # noqa: PLC0415

    changes, stop = _Changes(load, place, workspace), threading.Event()
    looked_at = DefaultFilter(ignore_paths=[app.archive.parent])

    def follow() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are for the main thread
        for found in changes_in(app.folder, watch_filter=looked_at, step=_SETTLED, stop_event=stop, rust_timeout=0):
            began = time.monotonic()
            names = sorted(path.removeprefix(f"{app.folder}/") for _, path in found)
            try:
                done = changes.make()
            except CanneryError as error:
                done = str(error)
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            tell(f"{names[0]}{more} changed: {done} ({time.monotonic() - began:.2f} s)")

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield changes
    finally:
        stop.set()
        thread.join()
