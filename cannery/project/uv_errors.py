"""The errors that uv's complaints mean, each with its next step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cannery.errors import MachineError, RequirementsError
from cannery.workspace.files import advice

if TYPE_CHECKING:
    from cannery.errors import CanneryError
    from cannery.workspace.process import ProgramFailed

__all__ = ["explain"]

# uv's own words -> the next step; tests/whole/bad_input/test_wheels.py has uv say one of each kind.
_ADVICE = {
    r"hash mismatch|hashes?.*(mismatch|do not match)": (
        "the file isn't the one that was locked: find out why before you lock again"
    ),
    r"401 Unauthorized|403 Forbidden|valid authentication credentials": (
        "give uv the index's user and password: in ~/.netrc, or UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD"
    ),
    r"In `--require-hashes` mode": "list it, too, with its hashes: uv pip compile --generate-hashes writes them all",
    r"no (usable |matching )?(wheels|distribution)|no `?sdist|no binary|source (distributions )?is disabled": (
        "take a version that has a wheel for this platform, or build one (pip wheel NAME -w wheels) and point "
        "UV_FIND_LINKS to that folder"
    ),
    r"dns error|error sending request|failed to fetch|could not connect|connection|timed out|network was disabled": (
        "check the network and the package index (UV_DEFAULT_INDEX, UV_OFFLINE); wheels that were downloaded before "
        "are used again"
    ),
    r"was not found in|no versions? of": "check the requirement's name and version",
}

_MOST = 20_000  # characters

# uv's own words, which tests/recipes/test_slim.py has it say.
_NO_WHEEL = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]+)==\S+ has no wheels with a matching platform tag \(e\.g\., `(?P<platform>\w+)`"
)


def explain(error: ProgramFailed, what: str, otherwise: str) -> CanneryError:
    """The error to raise for uv's failure ``error``: ``what`` went wrong, uv's words, and the step that they call for.

    That is a :class:`MachineError` where the machine refused something, ``error`` itself where a signal ended uv, and
    else a :class:`RequirementsError`. ``otherwise`` is the step where uv's words tell nothing better.
    """
    if error.returncode < 0:
        return error  # uv had no time to complain
    complaint = error.stderr.strip() or error.stdout.strip()
    words = complaint[start.start() :] if (start := re.search(r"^error:", complaint, re.MULTILINE)) else complaint
    words = words[:_MOST]  # uv shows the line that it can't read, however long
    if step := advice(words, "CANNERY_CACHE, UV_CACHE_DIR"):
        return MachineError(what, evidence=words, step=step)
    unwrapped = " ".join(words.split())  # uv breaks lines at the width of the terminal, or where it takes one for given
    if (lacking := _NO_WHEEL.search(unwrapped)) and "musl" in lacking["platform"]:
        return RequirementsError(
            f"{lacking['name']} has no wheel for musl, which Alpine's Python runs on",
            evidence=words,
            step="take a base with glibc, as Debian's have it, or a version that has such a wheel",
        )
    fitting = (step for pattern, step in _ADVICE.items() if re.search(pattern, unwrapped, re.IGNORECASE))
    return RequirementsError(what, evidence=words, step=next(fitting, otherwise))
