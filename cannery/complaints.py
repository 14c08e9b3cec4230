"""What uv complains of, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cannery.errors import MachineError, RequirementsError
from cannery.files import advice

if TYPE_CHECKING:
    from cannery.errors import CanneryError
    from cannery.process import ProgramFailed

__all__ = ["explain"]

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
