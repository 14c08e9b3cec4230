"""The embedded runner: a program over an unpacked image, in namespaces of its own, with no engine.

Three processes stand behind it: the caller, who waits; a monitor, in whose namespaces the container lies; and
process 1 of the container, who starts the program and reaps what it leaves. Each dies with the one before it.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from cannery.containers.sandbox.mounts import assemble
from cannery.containers.sandbox.privileges import (
    die_with_parent,
    drop_privileges,
    id_maps,
    may_map_others,
    ranges,
    write_maps,
)
from cannery.containers.sandbox.supervise import held_signals, interruption, release_signals, supervise
from cannery.containers.sandbox.syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    StepError,
    step,
    unshare,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from cannery.containers.sandbox.container import Container
    from cannery.containers.sandbox.privileges import IdMaps

__all__ = ["CHDIR", "EXEC", "INTERPRETER", "run_container"]

CHDIR: Final = "chdir"
EXEC: Final = "exec"
INTERPRETER: Final = "exec of the interpreter"

_NAMESPACES: Final = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS
_READY: Final = b"ready\n"


class _Handover(NamedTuple):
    """What the processes of a container hand down to each other."""

    container: Container
    maps: IdMaps
    mask: Iterable[int]  # of signals, as the caller had it
    told: int  # the end of a pipe for the step that is refused; closed once the program runs
    mapped: int  # the end of a pipe that is written to once the IDs are mapped
    caller: int


def run_container(container: Container) -> int:
    """Run the program to its end and return its exit code: 128 + N where signal N ended it.

    Raises :class:`MachineError` naming the step that the machine refuses; :class:`ImageError` with exit code 127
    where the image has no such program, and 126 where it can't be executed. It's called in the main thread.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()  # what was printed before comes before
    with held_signals() as mask:
        try:
            monitor = _launch(container, mask)
        except StepError as refused:
            from cannery.containers.sandbox.refusal import explain  # noqa: PLC0415  # seldom needed: keeps the start short

            raise explain(refused, container) from None
        return supervise(monitor)


def _launch(container: Container, mask: Iterable[int]) -> int:
    """Start the processes and return the first one's ID once the program runs."""
    report, told = os.pipe()
    mapped, go = os.pipe()
    start = _Handover(container, _id_maps(container), mask, told, mapped, os.getpid())
    with open(report, "rb") as messages, open(go, "wb", buffering=0) as gate:
        monitor = _fork(start, _monitor, closing=(report, go))
        os.close(told)
        os.close(mapped)
        try:
            _await(monitor, start.maps, messages, gate)
        except StepError:
            gate.close()
            supervise(monitor)
            raise
    return monitor


def _await(monitor: int, maps: IdMaps, messages: BinaryIO, gate: BinaryIO) -> None:
    """Let the monitor go on once its namespaces are there, and wait until the program runs."""
    if (line := messages.readline()) == _READY:
        write_maps(monitor, maps)
        with step("letting the monitor go on"):
            gate.write(b"\n")
        line = messages.read()
    if line:
        number, _, refused = os.fsdecode(line).partition(" ")
        raise StepError(refused, int(number))


def _id_maps(container: Container) -> IdMaps:
    with step("reading /proc/self"):
        status, *own = (_text(f"/proc/self/{name}") for name in ("status", "uid_map", "gid_map"))
    uids, gids = map(ranges, own)
    return id_maps(container.uid, container.gid, own=(uids, gids), privileged=may_map_others(status))


def _monitor(start: _Handover) -> int:
    """Own the namespaces, and wait for process 1."""
    unshare(_NAMESPACES)
    os.write(start.told, _READY)
    if not os.read(start.mapped, 1):
        return 1
    die_with_parent()
    if os.getppid() != start.caller:
        return 1  # it ended before its end could be noticed
    alive, held = os.pipe()
    init = _fork(start, lambda start: _init(start, alive), closing=(held,))
    os.close(start.told)
    os.setpgid(0, 0)  # out of reach of the terminal, and of signals to the caller's group
    return supervise(init)


def _init(start: _Handover, alive: int) -> int:
    """Be process 1: furnish the container, start the program, reap orphans."""
    os.umask(0o022)
    sys.meta_path.clear()  # an import would take the image's code from now on
    assemble(start.container)
    drop_privileges(start.container.uid, start.container.gid, groups=start.maps.groups)
    die_with_parent()
    if _ended(alive):
        return 1
    if number := interruption():
        return 128 + number
    program = _fork(start, _program)
    os.close(start.told)
    os.setpgid(0, 0)
    return supervise(program, orphans=True)


def _program(start: _Handover) -> int:
    """Become the program."""
    container = start.container
    with step(CHDIR):
        os.chdir(container.working_directory)
    release_signals(start.mask)
    for number in map(int, os.listdir("/proc/self/fd")):
        if number > 2 and number != start.told:  # noqa: PLR2004  # standard error
            with suppress(OSError):  # the one of the listing itself
                os.close(number)
    raise _exec(container)


def _exec(container: Container) -> StepError:
    """Become the program; return why that is refused, if it is."""
    refusal = StepError(EXEC, errno.ENOENT)
    for path in _candidates(container):
        try:
            os.execve(path, container.argv, {**container.env})  # noqa: S606  # no shell: that's the point
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
                refusal = StepError(EXEC, error.errno or 0)
            elif os.path.exists(path):
                refusal = StepError(INTERPRETER, errno.ENOENT)
    return refusal


def _candidates(container: Container) -> list[str]:
    """The files that the program's name may mean."""
    name = container.argv[0]
    if "/" in name:
        return [name]
    return [f"{folder or '.'}/{name}" for folder in container.env.get("PATH", "").split(":")]


def _fork(start: _Handover, body: Callable[[_Handover], int], *, closing: Iterable[int] = ()) -> int:
    """Return the process ID of a child that runs ``body`` and ends with the exit code that it returns."""
    with step("fork"):
        pid = os.fork()
    if pid == 0:
        for number in closing:
            os.close(number)
        _end_with(body, start)
    return pid


def _end_with(body: Callable[[_Handover], int], start: _Handover) -> NoReturn:
    """Run ``body`` and end at once: nothing of the caller's is flushed or cleaned up a second time."""
    code = 1
    try:
        code = body(start)
    except StepError as refused:
        os.write(start.told, os.fsencode(f"{refused.errno} {refused.step}"))
    except BaseException:  # noqa: BLE001  # the process ends here, so this is the place to show a defect
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _ended(alive: int) -> bool:
    """Whether the process that holds the other end of a pipe that nobody writes to has ended."""
    os.set_blocking(alive, False)
    try:
        return os.read(alive, 1) == b""
    except BlockingIOError:
        return False


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
