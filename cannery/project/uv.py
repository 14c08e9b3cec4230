"""What uv and other programs complain of, and what to do about it."""

from __future__ import annotations

import errno
import re
import shutil
import signal
from typing import TYPE_CHECKING

from cannery.errors import MORE_MEMORY, MachineError, RequirementsError
from cannery.workspace.files import advice, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.errors import CanneryError
    from cannery.workspace.process import ProgramFailed

__all__ = ["explain", "shortage"]

_ADVICE = {
    r"hash mismatch|hashes?.*(mismatch|do not match)": (
        "the file isn't the one that was locked: find out why before you lock again"
    ),
    r"no (usable |matching )?wheels|no matching distribution|building from source is disabled|no `?sdist": (
        "take a version that has a wheel for this platform, or build one (pip wheel NAME -w wheels) and point "
        "UV_FIND_LINKS to that folder"
    ),
    r"dns error|error sending request|failed to fetch|could not connect|connection|timed out|network was disabled": (
        "check the network and the package index (UV_DEFAULT_INDEX, UV_OFFLINE); wheels that were downloaded before "
        "are used again"
    ),
    r"was not found in|no versions? of": "check the requirement's name and version",
}


_NO_WHEEL = re.compile(
    r"(?P<name>[\w.-]+)==\S+ has no wheels with a matching platform tag \(e\.g\., `(?P<platform>\w+)`"
)


def explain(error: ProgramFailed, what: str, otherwise: str) -> CanneryError:
    """Say what uv's complaint means; ``what`` went wrong, and ``otherwise`` is the step where nothing better fits."""
    if error.returncode < 0:
        return error  # ended by a signal: it had no time to complain
    complaint = error.stderr.strip() or error.stdout.strip()
    words = complaint[start.start() :] if (start := re.search(r"^error:", complaint, re.MULTILINE)) else complaint
    if step := advice(words, "CANNERY_CACHE, UV_CACHE_DIR"):
        return MachineError(what, evidence=words, step=step)
    if (lacking := _NO_WHEEL.search(words)) and "musl" in lacking["platform"]:
        return RequirementsError(
            f"{lacking['name']} has no wheel for musl, which Alpine's Python runs on",
            evidence=words,
            step="take a base with glibc, as Debian's have it, or a version that has such a wheel",
        )
    fitting = (step for pattern, step in _ADVICE.items() if re.search(pattern, words, re.IGNORECASE))
    return RequirementsError(what, evidence=words, step=next(fitting, otherwise))


_NO_ROOM = re.compile(r"No space left on device|NoSpaceLeft|Disk quota exceeded|DiskQuota")
_NO_MEMORY = re.compile(
    r"OutOfMemory|out of memory|Cannot allocate memory|bad_alloc|SystemResources|Resource temporarily unavailable"
    r"|Killed|Segmentation fault",
    re.IGNORECASE,
)
_CRASHES = {-signal.SIGABRT, -signal.SIGBUS, -signal.SIGKILL, -signal.SIGSEGV}
_LITTLE = 4_000_000  # bytes of a disk; compilers that had no more clean up before they end


def shortage(error: ProgramFailed, folder: Path) -> MachineError | None:
    """What the machine had too little of for a program that writes below ``folder``; None where nothing shows that."""
    complaint = f"{error.stderr}\n{error.stdout}"
    crashed = error.returncode in _CRASHES
    if _NO_ROOM.search(complaint) or (crashed and shutil.disk_usage(folder).free < _LITTLE):
        return refusal(OSError(errno.ENOSPC, ""), folder)
    if crashed or _NO_MEMORY.search(complaint):
        return MachineError(
            f"{error.what}, as it does where memory is short", evidence=error.evidence, step=MORE_MEMORY
        )
    return None
