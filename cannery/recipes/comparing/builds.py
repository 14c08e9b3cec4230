"""Builds of copies of a project, each by the command that users type, and how long they take."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cannery.comparison.measurement import BuildTimes, Spread
from cannery.errors import ToolError
from cannery.project.copies import copy_project
from cannery.project.uv_sources import workspace_root
from cannery.recipes.comparing.one_line import change_line
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path, PurePosixPath

    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["ProjectCopy", "project_copy", "timed_builds"]

_REPEATED: Final = 3  # builds of a kind, where one takes less than
_LONG: Final = 10.0  # seconds
# Kinds of the cache that are no project's: what was downloaded, and the kits that static executables are linked from.
_TOOLS: Final = ("kits", "static-pythons", "zig")


@dataclass(frozen=True, slots=True)
class ProjectCopy:
    """A copy of a project."""

    folder: Path
    module: PurePosixPath | None  # that a line changes in, relative to the folder; None where it has no code


class _TimedBuild(NamedTuple):
    seconds: float
    digest: str
    layers: dict[str, int]  # digest -> compressed bytes


@contextmanager
def project_copy(app: App, module: PurePosixPath | None, workspace: Workspace) -> Iterator[ProjectCopy]:
    """A copy of the project of ``app``, with the uv workspace that it's a member of; gone at the block's end."""
    top = workspace_root(app.folder) or app.folder
    with workspace.cache.scratch() as scratch:
        copy_project(top, scratch / top.name)
        yield ProjectCopy(scratch / top.name / app.folder.relative_to(top), module)


def timed_builds(
    recipe: str, copies: tuple[ProjectCopy, ProjectCopy], flags: Sequence[str], workspace: Workspace
) -> BuildTimes:
    """How long builds of ``recipe`` take in the first of two copies; the second is for the one with an empty cache.

    ``flags`` are those of ``invoke image`` that all are built by. Raises :class:`ToolError` where one fails.
    """
    builder = _Builder(recipe, tuple(flags), workspace)
    here, elsewhere = copies
    first = builder.build(here.folder)
    unchanged = builder.repeated(here.folder, "nothing changed")
    changed, sent_again = _changed(builder, here, first)
    with workspace.cache.scratch() as empty:
        for kind in _TOOLS:
            (workspace.cache.root / kind).mkdir(parents=True, exist_ok=True)
            (empty / workspace.cache.root.name).mkdir(exist_ok=True)
            (empty / workspace.cache.root.name / kind).symlink_to(workspace.cache.root / kind)
        workspace.progress(f"building {recipe} with an empty cache")
        cold = builder.build(elsewhere.folder, empty)
    spread = Spread((cold.seconds,))
    return BuildTimes(unchanged, changed, sent_again, spread, reproducible=cold.digest == first.digest)


def _changed(builder: _Builder, copy: ProjectCopy, before: _TimedBuild) -> tuple[Spread | None, int | None]:
    """The time of builds after a line has changed, and the bytes of the layers that the first of them has made."""
    if copy.module is None:
        return None, None
    path = copy.folder / copy.module
    built: list[_TimedBuild] = []
    original = path.read_bytes()
    while len(built) < _REPEATED and (not built or built[0].seconds < _LONG):
        change_line(path, len(built))
        builder.workspace.progress(f"building {builder.recipe}: one line changed ({len(built) + 1})")
        built.append(builder.build(copy.folder))
    path.write_bytes(original)
    sent = sum(size for digest, size in built[0].layers.items() if digest not in before.layers)
    return Spread(tuple(each.seconds for each in built)), sent


@dataclass(frozen=True, slots=True)
class _Builder:
    recipe: str
    flags: tuple[str, ...]
    workspace: Workspace

    def build(self, project: Path, cache: Path | None = None) -> _TimedBuild:
        """Build by the command, as a process of its own, as users do."""
        with self.workspace.cache.scratch() as scratch:
            command = [sys.executable, "-m", "cannery", "image", "--json", "--engine=none", f"--recipe={self.recipe}"]
            command += [f"--project={project}", f"--output={scratch / 'image.tar'}", *self.flags]
            home = cache or self.workspace.cache.root.parent
            began = time.perf_counter()
            try:
                done = self.workspace.run(command, cwd=project, env={"CANNERY_CACHE": str(home)})
            except ProgramFailed as error:
                raise _as_told(error) from error
            took = time.perf_counter() - began
        told: dict[str, Any] = json.loads(done.stdout)
        layers = {layer["digest"]: int(layer["compressed_size"]) for layer in told["layers"]}
        return _TimedBuild(took, told["digest"], layers)

    def repeated(self, project: Path, what: str) -> Spread:
        seconds = []
        for number in range(_REPEATED):
            self.workspace.progress(f"building {self.recipe}: {what} ({number + 1})")
            seconds.append(self.build(project).seconds)
        return Spread(tuple(seconds))


def _as_told(failed: ProgramFailed) -> ToolError:
    """What the command has said of its failure; the failure itself where it has said nothing."""
    what, *lines = failed.stderr.partition("error: ")[2].splitlines() or [""]
    if not what or not lines:
        return failed
    return ToolError(what, evidence="\n".join(lines[:-1]), step=lines[-1].removeprefix("Next: "))
