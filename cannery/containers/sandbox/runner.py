"""The embedded runner: a program over an unpacked image, in namespaces of its own (namespaces(7)), with no engine.

Each process here is the parent of the next, and ends the next with it: the caller, which waits; a monitor, which owns
the namespaces; process 1 of the container, which starts the program and reaps orphans; the program.
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
from cannery.containers.sandbox.steps import CHDIR, EXEC, INTERPRETER, StepError, step
from cannery.containers.sandbox.supervise import held_signals, interruption, release_signals, supervise
from cannery.containers.sandbox.syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    unshare,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from cannery.containers.sandbox.container import Container
    from cannery.containers.sandbox.privileges import IdMaps

__all__ = ["run_container"]

_NAMESPACES: Final = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS
_READY: Final = b"ready\n"


class _Handover(NamedTuple):
    """The values that each process of a container hands down to the next."""

    container: Container
    maps: IdMaps
    mask: Iterable[int]  # the caller's mask of signals
    told: int  # a pipe's end, to write the step to that is refused; closed once the program runs
    mapped: int  # a pipe's end, from which a byte can be read once the IDs are mapped
    caller: int  # its process ID


def run_container(container: Container) -> int:
    """Run the program to its end and return its exit code: 128 + N where signal N ended it.

    Has to be called in the main thread, as it handles signals. Raises :class:`MachineError` with the step that the
    machine refuses; :class:`ImageError` with exit code 127 where the image has no such program, and 126 where the
    program can't be executed.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()  # so that it comes before what the program writes
    with held_signals() as mask:
        try:
            monitor = _launch(container, mask)
        except StepError as refused:
            from cannery.containers.sandbox.refusal import explain  # noqa: PLC0415  # seldom needed: shortens the start

            raise explain(refused, container) from None
        return supervise(monitor)


def _launch(container: Container, mask: Iterable[int]) -> int:
    """Start the processes; return the monitor's ID once the program runs.

    Raises :class:`StepError` for the step that was refused, once all of them have ended.
    """
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
    """Map the IDs of the monitor's namespace once it exists, let the monitor go on, and wait for the program to run.

    Raises :class:`StepError` for the step that one of the processes was refused.
    """
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
    """Be the process that owns the namespaces, and return the exit code of process 1."""
    unshare(_NAMESPACES)
    os.write(start.told, _READY)
    if not os.read(start.mapped, 1):
        return 1
    die_with_parent()
    if os.getppid() != start.caller:
        return 1  # the caller ended before the kernel was asked to tell
    alive, held = os.pipe()
    init = _fork(start, lambda start: _init(start, alive), closing=(held,))
    os.close(start.told)
    os.setpgid(0, 0)  # so that neither the terminal nor a signal to the caller's group reaches it
    return supervise(init)


def _init(start: _Handover, alive: int) -> int:
    """Be process 1: set up the container's files and rights, start the program, reap orphans; return the exit code.

    ``alive`` is a pipe's end that reads as closed once the monitor has ended.
    """
    os.umask(0o022)
    sys.meta_path.clear()  # imports fail from now on: they would run the image's code
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
    """Become the program; raises :class:`StepError` where that is refused."""
    container = start.container
    with step(CHDIR):
        os.chdir(container.working_directory)
    release_signals(start.mask)
    for number in map(int, os.listdir("/proc/self/fd")):
        if number > 2 and number != start.told:  # noqa: PLR2004  # 2 is standard error
            with suppress(OSError):  # the listing's own descriptor is closed by now
                os.close(number)
    raise _exec(container)


def _exec(container: Container) -> StepError:
    """Execute the first candidate that can be; return the refusal where none can (execve(2))."""
    refusal = StepError(EXEC, errno.ENOENT)
    for path in _candidates(container):
        try:
            os.execve(path, container.argv, {**container.env})  # noqa: S606  # an image needs no shell
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
                refusal = StepError(EXEC, error.errno or 0)
            elif os.path.exists(path):
                refusal = StepError(INTERPRETER, errno.ENOENT)
    return refusal


def _candidates(container: Container) -> list[str]:
    """The paths that the program's name may mean: itself if it has a slash, else one in each folder of ``PATH``."""
    name = container.argv[0]
    if "/" in name:
        return [name]
    return [f"{folder or '.'}/{name}" for folder in container.env.get("PATH", "").split(":")]


def _fork(start: _Handover, body: Callable[[_Handover], int], *, closing: Iterable[int] = ()) -> int:
    """Fork a child that runs ``body`` and exits with what it returns, and return the child's process ID.

    The child first closes the descriptors in ``closing``.
    """
    with step("fork"):
        pid = os.fork()
    if pid == 0:
        for number in closing:
            os.close(number)
        _end_with(body, start)
    return pid


def _end_with(body: Callable[[_Handover], int], start: _Handover) -> NoReturn:
    """Run ``body`` and exit at once, so that nothing of the caller's is flushed or cleaned up twice.

    A :class:`StepError` is written to ``start.told`` as its number and its name.
    """
    code = 1
    try:
        code = body(start)
    except StepError as refused:
        os.write(start.told, os.fsencode(f"{refused.errno} {refused.step}"))
    except BaseException:  # noqa: BLE001  # a defect: nobody above will show it, as the process ends here
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _ended(alive: int) -> bool:
    """True if the process that holds the other end of the pipe ``alive``, and never writes to it, has ended."""
    os.set_blocking(alive, False)
    try:
        return os.read(alive, 1) == b""
    except BlockingIOError:
        return False


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
