"""Shortages of the machine, told from the words of a program that failed."""

from __future__ import annotations

import errno
import re
import shutil
import signal
from typing import TYPE_CHECKING

from cannery.errors import MORE_MEMORY, MachineError
from cannery.workspace.files import refusal

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.process import ProgramFailed

__all__ = ["shortage"]

# The words of strerror(3), of zig's errors (NoSpaceLeft, DiskQuota, OutOfMemory, SystemResources), of C++ (bad_alloc),
# and of make and shells for a child that was killed (Killed, Segmentation fault)
_NO_ROOM = re.compile(r"No space left on device|NoSpaceLeft|Disk quota exceeded|DiskQuota")
_NO_MEMORY = re.compile(
    r"OutOfMemory|out of memory|Cannot allocate memory|bad_alloc|SystemResources|Resource temporarily unavailable"
    r"|Killed|Segmentation fault",
    re.IGNORECASE,
)
_CRASHES = {-signal.SIGABRT, -signal.SIGBUS, -signal.SIGKILL, -signal.SIGSEGV}
_LITTLE = 4_000_000  # bytes free on a disk that was full: a compiler removes its temporary files before it ends


def shortage(error: ProgramFailed, folder: Path) -> MachineError | None:
    """The error for a program that ran out of memory, or of room on ``folder``'s disk; None for another failure."""
    complaint = f"{error.stderr}\n{error.stdout}"
    crashed = error.returncode in _CRASHES
    if _NO_ROOM.search(complaint) or (crashed and shutil.disk_usage(folder).free < _LITTLE):
        return refusal(OSError(errno.ENOSPC, ""), folder)
    if crashed or _NO_MEMORY.search(complaint):
        return MachineError(
            f"{error.what}, as it does where memory is short", evidence=error.evidence, step=MORE_MEMORY
        )
    return None
