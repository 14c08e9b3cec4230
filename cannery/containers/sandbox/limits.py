"""Limits on processes and memory, as the kernel has them.

The kernel counts processes by user and user namespace from Linux 5.14 on, so that a limit on them (getrlimit(2),
``RLIMIT_NPROC``) is the container's own. Where it doesn't hold, as for root, and for memory, control groups do it
(cgroups(7)), where this process may make one.
"""

from __future__ import annotations

import os
import re
import resource
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["SHARED_MEMORY", "control_group", "counted_by_namespace", "limit_processes", "places"]

SHARED_MEMORY: Final = 64 << 20  # bytes in /dev/shm, as Docker has it
_FILES: Final[Mapping[str, tuple[str, str]]] = {  # of version 1 of control groups, and of version 2
    "pids": ("pids.max", "pids.max"),
    "memory": ("memory.limit_in_bytes", "memory.max"),
}
_OWN: Final = 1  # processes beside the container's that count as well: the monitor


def counted_by_namespace(release: str) -> bool:
    """True for a kernel whose ``release``, as uname(2) tells it, counts processes by user namespace."""
    return tuple(map(int, re.findall(r"\d+", release)[:2])) >= (5, 14)


def limit_processes(pids: int) -> None:
    """Let this process and those that it starts be ``pids`` at most; a limit that is lower already stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    given = [number for number in (soft, hard) if number != resource.RLIM_INFINITY]
    limit = min([pids + _OWN, *given])
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))


@contextmanager
def control_group(values: Mapping[str, int]) -> Iterator[Callable[[int], Sequence[str]]]:
    """Yield a function that moves a process into a control group with limits, by controller: ``pids``, ``memory``.

    It returns the controllers for which no group could be made. The group is removed at the end.
    """
    made: list[str] = []

    def move(process: int) -> Sequence[str]:
        return [name for name, value in values.items() if not _limited(process, name, value, made)]

    try:
        yield move
    finally:
        for folder in reversed(made):
            with suppress(OSError):
                os.rmdir(folder)


def _limited(process: int, controller: str, value: int, made: list[str]) -> bool:
    """Move ``process`` into a group that limits it, in the first place that allows one; ``made`` gets new groups."""
    try:
        groups, mounts = _text("/proc/self/cgroup"), _text("/proc/self/mountinfo")
    except OSError:
        return False
    for folder, version in places(groups, mounts, controller):
        with suppress(OSError):
            if version == 2 and controller not in _text(f"{folder}/cgroup.subtree_control").split():  # noqa: PLR2004
                continue
            group = f"{folder}/cannery-{process}"
            if group not in made:
                os.mkdir(group)
                made.append(group)
            _write(f"{group}/{_FILES[controller][version - 1]}", str(value))
            _write(f"{group}/cgroup.procs", str(process))
            return True
    return False


def places(groups: str, mounts: str, controller: str) -> Iterator[tuple[str, int]]:
    """The folders in which a group for ``controller`` may be made, the nearest first, with the version of cgroups.

    ``groups`` is the text of ``/proc/PID/cgroup``, ``mounts`` that of ``/proc/PID/mountinfo``.
    """
    own = {}
    for line in groups.splitlines():
        _, names, path = line.split(":", 2)
        own.update(dict.fromkeys(names.split(","), path))
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        root, point = before.split(" ")[3:5]
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup" and controller in options.split(",") and controller in own:
            yield f"{point}/{_below(own[controller], root)}".rstrip("/"), 1
        elif kind == "cgroup2" and "" in own:
            folder = f"{point}/{_below(own[''], root)}".rstrip("/")
            while len(folder) >= len(point):  # a group that has processes can't have groups below it with limits
                yield folder, 2
                folder = os.path.dirname(folder)


def _below(path: str, root: str) -> str:
    return os.path.relpath(path, root).removeprefix(".").lstrip("/") if path.startswith(root) else ""


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
