"""An executable that starts from memory: one that was linked is run once, and what it has in memory then goes into it.

What runs is the executable itself. It imports modules, writes its memory to a pipe, and ends; here that becomes
segments of the file, which the kernel maps where they were. A second entry point, before the C library's, chooses
whether a process goes on from there or starts as any.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from threading import Timer
from typing import TYPE_CHECKING, Final

import msgspec

from cannery.errors import ToolError
from cannery.executable.static.memory import OFF, LinkedProgram, MemoryRegion, file_with, regions_of
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Snapshot", "StartingPlace", "with_memory"]

# What memory doesn't hold, or would tell of the machine where it was made: what a module does while it's imported
_REFUSED: Final = {
    "randomness": "asks for random numbers",
    "clock": "asks for the time",
    "host": "asks for the name of the host",
    "process": "asks for the number of the process",
    "processors": "asks how many processors there are",
    "terminal": "asks whether there's a terminal",
    "variables": "reads all variables",
    "file": "looks at the file {}",
    "list": "lists a folder",
    "open": "leaves a file open",
    "socket": "makes a socket",
    "thread": "starts a thread",
    "program": "starts a program",
    "change": "changes what the process may do, or its folder",
    "map": "maps memory",
    "hash": "has objects that keep a hash ({})",
    "import": "goes on where {} can't be imported, whatever the error",
}
# Modules that do, and whose values are made anew in every process (launcher/snapshot.py)
_MADE_ANEW: Final = {"randomness": {"random", "multiprocessing.process"}, "clock": {"logging"}}
_PROGRAM: Final = "/usr/local/bin/program"  # the path that it has while it's made, wherever that is
_PATIENCE: Final = 300  # seconds for which modules may be imported
_TEXTS: Final = 6  # that a process writes before its memory
_NO_MEMORY: Final = 3  # the exit code of one that has written these alone


def with_memory(linked: Path, modules: Iterable[str], place: StartingPlace, target: Path) -> Snapshot:
    """Write to ``target`` the executable ``linked`` with its memory after it has imported ``modules`` at ``place``.

    Returns what is in it, and what isn't.
    """
    refused: dict[str, str] = {}
    costs: dict[str, float] = {}
    wanted = list(modules)
    with explained(target):
        program = LinkedProgram.read(linked)
        while True:
            run = _run(linked, wanted, refused, place)
            found = dict(_refusals(run.notes))
            costs = {**run.costs, **costs}  # at first nothing is refused: what each module takes is all of it
            if not found:
                _write(run, program, target)
                found = _lost(target, place)
            if not found:
                break
            _check_new(found, refused)
            refused |= found
            wanted = list(dict.fromkeys((*run.loaded, *wanted)))
    imported = {name: f"imports {other}" for name, other in run.late.items() if name not in refused}
    late = refused | imported
    taken = {name: round(1000 * costs[name], 1) for name in late if name in costs}
    return Snapshot(sorted(run.loaded), late, _assumed(run, place), taken)


def _assumed(run: _Run, place: StartingPlace) -> list[str]:
    """What a process compares before it goes on from the memory, in words."""
    pairs = {tuple(line.split("\t")[:2]) for line in run.notes} | {("variable", name) for name in run.asked}
    words = {
        "variable": "the variable {} as in the image",
        "user": f"the user {place.user}",
        "folder": f"the folder {place.folder}",
        "absent": "no file {}",
    }
    return sorted(words[kind].format(which) for kind, which in pairs if kind in words)


def _check_new(found: Mapping[str, str], refused: Mapping[str, str]) -> None:
    """Raise :class:`ToolError` where something calls itself as a module that isn't imported any more."""
    if found.keys() <= refused.keys():
        module, what = min(found.items())
        raise _unsound(f"code that runs under the name of {module} {what}", f"{module} itself was not imported then")


def _write(run: _Run, program: LinkedProgram, target: Path) -> None:
    if not run.memory:
        raise _unsound("a module leaves a file open, or a thread running", "it isn't known which module does")
    places, *regions = run.memory
    target.write_bytes(file_with(program, regions, places))
    target.chmod(0o755)


def _lost(made: Path, place: StartingPlace) -> dict[str, str]:
    """The modules whose objects dictionaries and sets don't find when a process goes on with another hash secret."""
    variables = {**place.environment, "CANNERY_SNAPSHOT": "verify"}
    done = subprocess.run([made], cwd="/", env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.decode(errors="replace") or f"it ended with {done.returncode}"
        raise _unsound("a process does not go on from the memory", said)
    lost = dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())
    if "builtins" in lost:
        raise _unsound("a process doesn't find what dictionaries and sets have", f"keys of the type {lost['builtins']}")
    return {module: f"has keys, of the type {name}, that are not found again" for module, name in lost.items()}


def _unsound(what: str, evidence: str) -> ToolError:
    return ToolError(what, evidence=evidence, step=OFF)


class Snapshot(msgspec.Struct, frozen=True):
    """What an executable that starts from memory has in it."""

    modules: list[str]  # that are imported there
    late: dict[str, str]  # those that are imported when a process starts, with what they do that memory doesn't hold
    assumed: list[str]  # what has to be so, or else a process starts in the ordinary way
    milliseconds: dict[str, float]  # what late modules took of a processor when they were imported for the first time


@dataclass(frozen=True, slots=True)
class StartingPlace:
    """What a process of the image has around it."""

    environment: Mapping[str, str]
    user: int
    folder: str


@dataclass(frozen=True, slots=True)
class _Run:
    """What a process has written of itself."""

    notes: list[str]  # who asked for what
    asked: list[str]  # variables, by os.environ
    late: Mapping[str, str]  # modules that were to be imported, and the refused ones that they import
    loaded: list[str]
    costs: Mapping[str, float]  # seconds of a processor for each module by itself
    memory: list[
        MemoryRegion
    ]  # where its stack and the kernel's functions are, and what lies at which address; or nothing


def _refusals(notes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The modules whose memory would tell of the build, or be the same in every process; what each does."""
    for line in notes:
        kind, which, module = line.split("\t")
        if kind not in _REFUSED or module in _MADE_ANEW.get(kind, ()):
            continue
        what = _REFUSED[kind].format(which)
        if not module:
            raise _unsound(f"something {what} while modules are imported", "no module's own code is running then")
        yield module, what


def _run(program: Path, modules: Iterable[str], refused: Iterable[str], place: StartingPlace) -> _Run:
    """Run the program until it has written its memory; raises :class:`ToolError` where it fails."""
    wanted = "\n".join((str(place.user), place.folder, ",".join(modules), ",".join(refused)))
    variables = {**place.environment, "TZ": "UTC0", "_CANNERY_PROGRAM": _PROGRAM, "_CANNERY_SNAPSHOT": wanted}
    with tempfile.TemporaryFile() as errors:
        running = subprocess.Popen(  # noqa: S603  # it was linked a moment ago
            [_PROGRAM],
            executable=str(program),
            cwd="/",
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        ending = Timer(_PATIENCE, running.kill)
        ending.start()
        written, _ = running.communicate()
        ending.cancel()
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    if running.returncode not in {0, _NO_MEMORY}:
        raise ToolError(
            "the modules of the snapshot could not be imported",
            evidence=said or f"the program ended with {running.returncode}",
            step=f"mend that, or {OFF}",
        )
    regions = list(regions_of(written))
    in_c, asked, in_python, late, loaded, costs = (each.data.decode().splitlines() for each in regions[:_TEXTS])
    because = dict(line.split(" ") for line in late)
    taken = {name: int(nanoseconds) / 1e9 for name, nanoseconds in (line.split(" ") for line in costs)}
    return _Run(in_c + in_python, asked, because, loaded, taken, regions[_TEXTS:])
