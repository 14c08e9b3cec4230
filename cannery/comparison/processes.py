"""The processes that a program consists of, and their memory (proc(5))."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["descendants", "is_running", "memory"]

_PROC: Final = Path("/proc")


def descendants(process: int) -> list[int]:
    """The processes that ``process`` has started, and those that these have; the nearest first."""
    found, pending = [], [process]
    while pending:
        children = list(_children(pending.pop(0)))
        found += children
        pending += children
    return found


def is_running(process: int) -> bool:
    """True for a process that is there, and hasn't ended only to be waited for."""
    try:
        state = (_PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2][:1]
    except OSError:
        return False
    return state not in {"Z", "X"}


def memory(processes: Iterable[int]) -> int | None:
    """The bytes that ``processes`` take together, where each counts its part of what they share (PSS).

    None where the kernel doesn't tell this user.
    """
    total = 0
    for process in processes:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            try:
                text = (_PROC / str(process) / "smaps_rollup").read_text(encoding="ascii")
            except PermissionError:
                return None
            total += sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
    return total or None


def _children(process: int) -> Iterator[int]:
    for path in (_PROC / str(process) / "task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, path.read_text(encoding="ascii").split())
