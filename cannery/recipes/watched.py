"""The places where an app runs that is watched: an engine's container, or the embedded runner."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from cannery.containers.engine.engine import ContainerRequest
from cannery.containers.load import load
from cannery.containers.needs import limits_for, needs_executable_tmp
from cannery.image.content import Inline, digest_of
from cannery.image.tar import write_tar
from cannery.image.tree import File, Tree
from cannery.recipes.build import build_plan
from cannery.trees.small_programs import AGAIN, small_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from cannery.containers.engine.engine import Engine
    from cannery.image.image import Base
    from cannery.image.tree import Entry
    from cannery.recipes.plan import Plan
    from cannery.workspace.workspace import Workspace

    Shown = Callable[[], AbstractContextManager[Workspace]]

__all__ = ["InEngine", "InSandbox", "RunningPlan", "WatchedPlace", "changed_files"]

_START_AGAIN: Final = 64  # the signal that the program at AGAIN waits for
_ENDING: Final = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM})  # signals that ask for it
_LARGE: Final = 64 << 20  # bytes of a layer that isn't looked into: a change there takes another container


class WatchedPlace(Protocol):
    """A place where an app runs, and is changed meanwhile by another thread."""

    def run(self, plan: Plan) -> int:
        """Run what ``plan`` says until somebody ends it, and return its exit code."""
        ...

    def change(self, plan: Plan) -> str | None:
        """Make what runs that of ``plan``: what was done, in words; None where that takes another container."""
        ...

    def end(self) -> None:
        """End what runs."""
        ...


class RunningPlan(NamedTuple):
    """What is remembered of a plan while it runs; the files that it was made of may change meanwhile."""

    config: Mapping[str, Any]
    base: Base | None
    layers: Mapping[str, tuple[str, Mapping[str, object] | None]]  # name -> key, and what is at each path

    @classmethod
    def of(cls, plan: Plan) -> RunningPlan:
        """What has to be remembered of ``plan``."""
        return cls(plan.config, plan.base, {name: (tree.key, _contents(tree.tree)) for name, tree in plan.layers})


def _contents(tree: Tree) -> Mapping[str, object] | None:
    """What is at each path, as a value that stays; None for a tree that's too large to be read."""
    if sum(file.content.size for _, file in tree.files()) > _LARGE:
        return None
    return {path: _fixed(entry) for path, entry in tree.entries.items()}


def _fixed(entry: Entry) -> object:
    if isinstance(entry, File):
        return (digest_of(entry.content), entry.mode, entry.uid, entry.gid)
    return entry


def changed_files(before: RunningPlan, after: Plan) -> Tree | None:
    """The files of ``after`` that differ from those of ``before``; None where more has changed than files can tell.

    That is: a file is gone, another kind of entry has taken its place, a large layer differs, or the program starts in
    another way.
    """
    if (before.config, before.base) != (after.config, after.base) or [*before.layers] != [n for n, _ in after.layers]:
        return None
    changed: dict[str, Entry] = {}
    for name, tree in after.layers:
        key, old = before.layers[name]
        if key == tree.key:
            continue
        if old is None or not old.keys() <= tree.tree.entries.keys():
            return None
        for path, entry in tree.tree.entries.items():
            if (known := old.get(path)) != (fixed := _fixed(entry)):
                if known is not None and type(known) is not type(fixed):
                    return None
                changed[path] = entry
    return Tree(changed)


class InEngine:
    """A container of an engine. Process 1 is a program of ours, which starts the app's again when it's told to."""

    def __init__(self, engine: Engine, arguments: Sequence[str], shown: Shown) -> None:
        self._engine = engine
        self._arguments = tuple(arguments)
        self._shown = shown
        self._container = ""
        self._running = RunningPlan({}, None, {})

    def run(self, plan: Plan) -> int:
        """Load the image, and run it in a container whose root can be written to by the engine."""
        settings = plan.app.settings
        with self._shown() as workspace:
            image = build_plan(plan, workspace, level=settings.compression_level).image
            load(image, plan.app.references, settings.engine, workspace)
        self._running = RunningPlan.of(plan)
        again = File(Inline(small_program(AGAIN, image.platform)), 0o755)

        def made(container: str) -> None:
            self._container = container
            self._put(Tree({AGAIN: again}))

        request = ContainerRequest(
            "watch",
            plan.app.references[0],
            self._arguments or tuple(plan.config.get("Cmd") or ()),
            (AGAIN, *(plan.config.get("Entrypoint") or ())),
            ports=plan.app.ports,
            scratch=settings.volumes,
            executable_tmp=needs_executable_tmp(image),
            limits=limits_for(image, settings.limits),
            read_only=False,
            init=False,
        )
        return self._engine.run(request, made=made)

    def change(self, plan: Plan) -> str | None:
        """Put the files that differ over the container's root, and tell the program or start it again."""
        files = changed_files(self._running, plan)
        if files is None:
            return None
        self._running = RunningPlan.of(plan)
        if not len(files):
            return "nothing that goes in"
        self._put(files)
        told = plan.app.settings.watch_signal
        self._engine.signal(self._container, signal.Signals[told] if told else _START_AGAIN)
        count = "1 file" if len(files) == 1 else f"{len(files)} files"
        return f"{count} put in, and the program {'told by ' + told if told else 'started again'}"

    def end(self) -> None:
        """Ask the program to end."""
        self._engine.signal(self._container, signal.SIGTERM)

    def _put(self, files: Tree) -> None:
        with TemporaryDirectory(prefix="cannery-") as scratch:
            archive = Path(scratch, "files.tar")
            with archive.open("wb") as stream:
                write_tar(files, stream, lambda _: None)
            self._engine.put(self._container, archive)


class InSandbox:
    """The embedded runner, which has another root for each change: images share theirs, and nothing writes to them."""

    def __init__(self, arguments: Sequence[str], shown: Shown, tell: Callable[[str], object]) -> None:
        self._arguments = tuple(arguments)
        self._shown = shown
        self._tell = tell
        self._asked = threading.Event()  # for another plan
        self._main = threading.get_ident()

    def run(self, plan: Plan) -> int:
        """Unpack the image and run it; where it ends by itself, wait for another plan."""
        self._asked.clear()
        before = signal.signal(signal.SIGTERM, self._hear)
        try:
            return self._run(plan)
        finally:
            signal.signal(signal.SIGTERM, before)

    def _run(self, plan: Plan) -> int:
        from cannery.containers.sandbox.container import container_in  # noqa: PLC0415  # of Linux
        from cannery.containers.sandbox.rootfs import rootfs  # noqa: PLC0415
        from cannery.containers.sandbox.runner import run_container  # noqa: PLC0415

        settings = plan.app.settings
        with self._shown() as workspace:
            image = build_plan(plan, workspace, level=settings.compression_level).image
            root = rootfs(image, workspace.cache)
        limits = limits_for(image, settings.limits)
        heard: set[int] = set()
        code = run_container(container_in(root, image.config, self._arguments, None, limits=limits), heard.add)
        if not self._asked.is_set() and _ENDING.isdisjoint({*heard, code - 128}):
            self._tell(f"the program has ended with {code}: it's started again with the next change (Ctrl-C: not)")
            self._asked.wait()
        return code

    def change(self, plan: Plan) -> str | None:  # noqa: ARG002  # whatever it is
        """Nothing: each plan has a root of its own."""
        return None

    def end(self) -> None:
        """Ask the program to end, as whoever runs cannery would: the runner waits for signals, and hands them on."""
        self._asked.set()
        signal.pthread_kill(self._main, signal.SIGTERM)

    def _hear(self, number: int, _: object) -> None:
        """Take SIGTERM while no program runs: it's the last of :meth:`end`, or somebody else's."""
        if not self._asked.is_set():
            sys.exit(128 + number)
