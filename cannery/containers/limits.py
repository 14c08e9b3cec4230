"""How much of the machine a container's program may take, in an engine and without one."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["UNPACKING", "Limits"]

UNPACKING: Final = 1 << 30  # bytes in /tmp for a program that unpacks itself there, at least


class Limits(NamedTuple):
    """The limits of a container."""

    pids: int = 1024  # processes and threads
    tmp: int = 256 * 10**6  # bytes in /tmp, and in each volume
    memory: int | None = None  # bytes; None: as much as there is

    def unpacking(self) -> Limits:
        """The same for a program that unpacks itself into ``/tmp``."""
        return self._replace(tmp=max(self.tmp, UNPACKING))
