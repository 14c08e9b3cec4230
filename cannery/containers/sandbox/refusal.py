"""Errors for a container that didn't start: the step that was refused, the setting in the way, the next step."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from cannery.containers.sandbox.steps import CHDIR, EXEC, INTERPRETER
from cannery.errors import CanneryError, ImageError, MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cannery.containers.sandbox.container import Container
    from cannery.containers.sandbox.steps import StepError

__all__ = ["Obstacle", "ProgramNotExecutableError", "ProgramNotFoundError", "explain", "obstacles"]

_ENGINE: Final = "run the image with Docker or Podman"
_FOREIGN: Final = "where it's for another machine, let the system find an emulator: apt-get install qemu-user-static"


class ProgramNotFoundError(ImageError):
    """The image doesn't have the program that is to run."""

    exit_code: ClassVar[int] = 127  # as shells have it (POSIX, 2.8.2)


class ProgramNotExecutableError(ImageError):
    """The image has the program, but it can't be executed."""

    exit_code: ClassVar[int] = 126


class Obstacle(NamedTuple):
    """A setting of the machine that forbids containers."""

    setting: str  # with its value
    command: str  # that allows containers


def explain(refused: StepError, container: Container) -> CanneryError:
    """The error for a step that was refused: the image's where it can't run, else the machine's."""
    name = container.argv[0]
    reason = os.strerror(refused.errno)
    if refused.step == CHDIR:
        return ImageError(f"the program can't start in {container.working_directory}", evidence=reason)
    if refused.step == INTERPRETER:
        return ProgramNotFoundError(
            f"{name!r} is in the image, but not what it needs to start",
            evidence=f"{reason}: its #! line or its ELF header names an interpreter that the image doesn't have",
        )
    if refused.step == EXEC:
        return _not_executed(refused, container)
    if refused.errno in {errno.ENOENT, errno.ENOTDIR}:
        return ImageError(
            "a file or folder of the container isn't there",
            evidence=f"{refused.step}: {reason}",
            step="`volumes` in [tool.cannery] gives an image folders to mount on",
        )
    return _not_started(refused)


def _not_executed(refused: StepError, container: Container) -> CanneryError:
    name = container.argv[0]
    reason = os.strerror(refused.errno)
    if refused.errno in {errno.ENOENT, errno.ENOTDIR}:
        evidence = reason if "/" in name else f"looked in {container.env.get('PATH', '')}"
        return ProgramNotFoundError(f"the image has no program {name!r}", evidence=evidence)
    if refused.errno == errno.EACCES and os.statvfs(container.root).f_flag & os.ST_NOEXEC:
        return MachineError(
            f"nothing may be executed below {container.root}",
            evidence="its file system is mounted with noexec",
            step="point CANNERY_CACHE to a file system without it",
        )
    step = _FOREIGN if refused.errno == errno.ENOEXEC else ""
    return ProgramNotExecutableError(f"{name!r} can't be executed", evidence=reason, step=step)


def _not_started(refused: StepError) -> MachineError:
    found = [*obstacles(read_setting, privileged=os.geteuid() == 0)]
    evidence = [f"{refused.step}: {os.strerror(refused.errno)}", *(each.setting for each in found)]
    advice = [each.command for each in found] or [_hint(refused.errno)]
    return MachineError(
        "this machine refuses to start a container",
        evidence="\n".join(evidence),
        step=f"{'; '.join(filter(None, advice))}; or {_ENGINE}" if any(advice) else _ENGINE,
    )


def obstacles(read: Callable[[str], str | None], *, privileged: bool) -> Iterator[Obstacle]:
    """The settings that forbid containers (namespaces(7), seccomp(2)).

    ``read`` returns the text of a file, without the white space around it, or None where it can't be read;
    ``privileged`` is true for root, whom some settings don't concern.
    """
    for kind in ("user", "mnt", "pid", "ipc", "uts"):
        if read(f"/proc/sys/user/max_{kind}_namespaces") == "0":
            yield _sysctl(f"user.max_{kind}_namespaces", "0", "15000")
    if not privileged and read("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        yield _sysctl("kernel.unprivileged_userns_clone", "0", "1")
    if not privileged and read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        yield _sysctl("kernel.apparmor_restrict_unprivileged_userns", "1", "0")
    if "\nSeccomp:\t2" in (read("/proc/self/status") or ""):
        yield Obstacle(
            "a seccomp filter is on, as in a container",
            "start the container around with --security-opt seccomp=unconfined",
        )


def read_setting(path: str) -> str | None:
    """The text of a file below ``/proc`` without the white space around it; None where it can't be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None


def _sysctl(name: str, now: str, wanted: str) -> Obstacle:
    return Obstacle(f"{name} = {now}", f"sudo sysctl -w {name}={wanted}")


def _hint(number: int) -> str:
    """The next step for the error ``number`` where no setting stands in the way; empty where none is known."""
    if number in {errno.ENOSPC, errno.EUSERS}:
        return "raise the limits below /proc/sys/user, here or in the container around"
    if number in {errno.EPERM, errno.EACCES}:
        return "run it outside the container or sandbox that it's in"
    if number == errno.EAGAIN:
        return "raise the limit on processes (ulimit -u)"
    return ""
