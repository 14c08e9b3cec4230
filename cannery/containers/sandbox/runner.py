"""The embedded runner: a program over an unpacked image, in namespaces of its own (namespaces(7)), with no engine.

Each process here is the parent of the next, and ends the next with it: the caller, which waits; a monitor, which owns
the namespaces; process 1 of the container, which starts the program and reaps orphans; the program.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from cannery.containers.sandbox.given import hand_over
from cannery.containers.sandbox.limits import control_group, counted_by_namespace, limit_processes
from cannery.containers.sandbox.mounts import assemble
from cannery.containers.sandbox.privileges import (
    die_with_parent,
    drop_privileges,
    id_maps,
    may_map_others,
    ranges,
    write_maps,
)
from cannery.containers.sandbox.seccomp import filter_for
from cannery.containers.sandbox.steps import CHDIR, EXEC, INTERPRETER, StepError, step
from cannery.containers.sandbox.supervise import (
    Patience,
    forget_signals,
    held_signals,
    release_signals,
    stop_here,
    supervise,
)
from cannery.containers.sandbox.syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    hide_arguments,
    join_new_keyring,
    keep_inside,
    set_filter,
    unshare,
)
from cannery.workspace.streams import show
from cannery.workspace.use import held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType
    from typing import BinaryIO

    from cannery.containers.limits import Limits
    from cannery.containers.sandbox.container import Container
    from cannery.containers.sandbox.privileges import IdMaps

__all__ = ["run_container"]

_NAMESPACES: Final = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS
_READY: Final = b"ready\n"
_STREAMS: Final = (0, 1, 2)


class _Handover(NamedTuple):
    """The values that each process of a container hands down to the next."""

    container: Container
    maps: IdMaps
    mask: Iterable[int]  # the caller's mask of signals
    told: int  # a pipe's end, to write the step to that is refused; closed once the program runs
    mapped: int  # a pipe's end, from which a byte can be read once the IDs are mapped
    caller: int  # its process ID
    machine: str  # as uname(2) calls it
    filter: bytes | None  # of system calls; None where there's none for the machine
    counted: bool  # RLIMIT_NPROC limits the program's processes
    terminal: tuple[ModuleType, int] | None  # what opens one, with a socket to the caller; None for a program without


def run_container(container: Container, heard: Callable[[int], object] | None = None) -> int:
    """Run the program to its end and return its exit code: 128 + N where signal N ended it.

    The container's root stays in the cache as long as that lasts. ``heard`` is given the number of each signal that is
    handed on to the program.
    Has to be called in the main thread, as it handles signals. Raises :class:`MachineError` with the step that the
    machine refuses; :class:`ImageError` with exit code 127 where the image has no such program, and 126 where the
    program can't be executed.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()  # so that it comes before what the program writes
    with held(container.root), held_signals() as mask:
        try:
            if os.isatty(0) and os.isatty(1):
                return _run_on_terminal(container, mask, heard)
            return _run(container, mask, heard)
        except StepError as refused:
            from cannery.containers.sandbox.refusal import explain  # noqa: PLC0415  # seldom needed: shortens the start

            raise explain(refused, container) from None


def _run(container: Container, mask: Iterable[int], heard: Callable[[int], object] | None) -> int:
    """Run a program whose streams are the caller's; return its exit code."""
    with _launched(container, mask, None) as monitor:

        def hear(number: int) -> bool:
            if heard is not None:
                heard(number)
            if number == signal.SIGTSTP:
                os.kill(monitor, number)
                stop_here()
            return number == signal.SIGTSTP

        return supervise(monitor, hear=hear)


def _run_on_terminal(container: Container, mask: Iterable[int], heard: Callable[[int], object] | None) -> int:
    """Run a program on a terminal of its own, which the caller's is tied to; return its exit code."""
    from cannery.containers.sandbox import terminal  # noqa: PLC0415  # it's slow to import

    container = container._replace(env={"TERM": os.environ.get("TERM") or "xterm", **container.env})
    with (
        terminal.Terminal(prompt=container.prompt) as own,
        _launched(container, mask, (terminal, own.link)) as monitor,
    ):

        def hear(number: int) -> bool:
            if heard is not None:
                heard(number)
            return own.hear(number)

        own.attach(monitor)
        return supervise(monitor, hear=hear)


@contextmanager
def _launched(container: Container, mask: Iterable[int], terminal: tuple[ModuleType, int] | None) -> Iterator[int]:
    """Start the processes; yield the monitor's ID once the program runs.

    Raises :class:`StepError` for the step that was refused, once all of them have ended.
    """
    machine = os.uname().machine
    report, told = os.pipe()
    mapped, go = os.pipe()
    maps, calls = _id_maps(container), filter_for(machine)
    counted = _counted(container.uid, maps)
    start = _Handover(container, maps, mask, told, mapped, os.getpid(), machine, calls, counted, terminal)
    with control_group(_grouped(container.limits, counted=counted)) as move:
        with open(report, "rb") as messages, open(go, "wb", buffering=0) as gate:
            monitor = _fork(start, _monitor, closing=(report, go))
            for number in (told, mapped, *([terminal[1]] if terminal else [])):
                os.close(number)
            unlimited = move(monitor)
            try:
                _await(monitor, maps, messages, gate)
            except StepError:
                gate.close()
                supervise(monitor)
                raise
        _tell(machine, unlimited, filtered=calls is not None)
        yield monitor


def _tell(machine: str, unlimited: Iterable[str], *, filtered: bool) -> None:
    """Say what the program may do though it shouldn't, as the machine knows no better."""
    for what in unlimited:
        show(f"note: this user may not limit {what} on this machine (cgroups), so the program has no such limit")
    if not filtered:
        show(f"note: there's no filter of system calls for {machine}, so the program may make all of them")


def _grouped(limits: Limits, *, counted: bool) -> dict[str, int]:
    """The limits for which a control group is needed, by controller."""
    memory = {} if limits.memory is None else {"memory": limits.memory}
    return memory if counted else {**memory, "pids": limits.pids}


def _counted(uid: int, maps: IdMaps) -> bool:
    """True if the kernel limits the processes of user ``uid`` by RLIMIT_NPROC, and by nobody else's."""
    return not maps.is_root(uid) and (maps.groups or counted_by_namespace(os.uname().release))


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
    os.setpgid(0, 0)  # so that neither the terminal nor a signal to the caller's group reaches it
    forget_signals()
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
    return supervise(init, patience=Patience())


def _init(start: _Handover, alive: int) -> int:
    """Be process 1: set up the container's files and rights, start the program, reap orphans; return the exit code.

    ``alive`` is a pipe's end that reads as closed once the monitor has ended.
    """
    os.umask(0o022)
    os.setsid()
    sys.meta_path.clear()  # imports fail from now on: they would run the image's code
    assemble(start.container)
    _confine(start)
    die_with_parent()
    if _ended(alive):
        return 1
    program = _fork(start, _program)
    os.close(start.told)
    if start.terminal is None:
        return supervise(program, orphans=True)
    module, link = start.terminal
    return supervise(program, orphans=True, stopped=lambda: module.tell_stopped(link))


def _confine(start: _Handover) -> None:
    """Give up what isn't the container's business: privileges, keys, the caller's terminal, system calls."""
    container = start.container
    hide_arguments()
    hand_over(_STREAMS, container.uid, container.gid)
    drop_privileges(container.uid, container.gid, groups=start.maps.groups)
    join_new_keyring(start.machine)
    if start.terminal is not None:
        module, link = start.terminal
        module.take_terminal(link)
    if start.counted:
        limit_processes(container.limits.pids)
    keep_inside(_STREAMS)
    if start.filter is not None:
        set_filter(start.filter)


def _program(start: _Handover) -> int:
    """Become the program; raises :class:`StepError` where that is refused."""
    container = start.container
    with step(CHDIR):
        os.chdir(container.working_directory)
    os.setpgid(0, 0)
    if start.terminal is not None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        os.tcsetpgrp(0, os.getpid())
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
