"""The streams that a container's program is given: the caller's own, made such as it can have them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from cannery.containers.sandbox.steps import step

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["hand_over"]


def hand_over(streams: Iterable[int], uid: int, gid: int) -> None:
    """Make ``streams`` those of user ``uid`` and group ``gid``.

    A pipe becomes the user's, so that the program can open ``/dev/stdout``, as in Docker. A folder is replaced by
    ``/dev/null``: no program reads one from a stream, and it leads out of the container.
    """
    for stream in streams:
        try:
            mode = os.fstat(stream).st_mode
        except OSError:
            continue  # it's closed
        if stat.S_ISDIR(mode):
            with step("opening /dev/null"):
                null = os.open("/dev/null", os.O_RDWR)
                os.dup2(null, stream)
                os.close(null)
        elif stat.S_ISFIFO(mode) and not _has_name(stream):
            with suppress(OSError):  # it's a pipe of another user's
                os.fchown(stream, uid, gid)


def _has_name(stream: int) -> bool:
    """True for a pipe that is a file (fifo(7)), whose owner stays what it is."""
    return os.readlink(f"/proc/self/fd/{stream}").startswith("/")
