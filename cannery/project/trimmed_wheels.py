"""Wheels with entries that leave the folder that they're unpacked in: uv leaves those out, and says so when asked.

It says so once, and keeps what is left of the wheel: so it's made to forget that.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cannery.errors import RequirementsError
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.workspace.process import Completed
    from cannery.workspace.workspace import Workspace

__all__ = ["TELLING", "refuse_trimmed"]

TELLING: Final = {"RUST_LOG": "uv_extract=warn"}  # the variable that has uv say it
_LEFT_OUT: Final = re.compile(r"Skipping unsafe file name: (.+)")


def refuse_trimmed(done: Completed, file: str, names: Iterable[str], workspace: Workspace) -> None:
    """Raise :class:`RequirementsError` where uv has left something out of a wheel that ``file`` asks for.

    ``names`` are those of the distributions that it may have been.
    """
    if left_out := _LEFT_OUT.findall(done.stderr):
        with suppress(ProgramFailed):
            workspace.run([find_uv(), "cache", "clean", "--quiet", *sorted({*names})])
        raise RequirementsError(
            f"a wheel that {file} asks for holds {left_out[0]!r}, which leaves the folder that it's unpacked in",
            evidence="\n".join(left_out),
            step="don't trust that wheel: find out which one it is (uv pip install -v), and tell who published it",
        )
