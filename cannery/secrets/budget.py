"""How much of what is packed is unpacked: whoever wrote an archive decides how large it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["Budget"]

_DEEPEST: Final = 5  # contents in one another
_MOST: Final = 1 << 28  # bytes that one file unpacks to
_MOST_IN_ALL: Final = 1 << 30  # that all files of an image do
_MOST_MEMBERS: Final = 20_000


@dataclass
class Budget:
    """How much may be unpacked yet, of all files and of this one."""

    left: int = _MOST_IN_ALL
    of_file: int = _MOST
    members: int = _MOST_MEMBERS
    exceeded: bool = False

    def for_file(self) -> None:
        """Begin with the next file."""
        self.of_file, self.members, self.exceeded = min(_MOST, self.left), _MOST_MEMBERS, self.left <= 0

    def spent(self, size: int) -> bool:
        """Take ``size`` bytes; True where that is more than there were."""
        self.left -= size
        self.of_file -= size
        self.exceeded = self.exceeded or self.of_file < 0
        return self.exceeded

    def too_deep(self, depth: int) -> bool:
        """True where contents lie in one another more often than anybody packs them."""
        self.exceeded = self.exceeded or depth > _DEEPEST
        return depth > _DEEPEST

    def next_member(self) -> bool:
        """True where one more member may be looked at."""
        self.members -= 1
        self.exceeded = self.exceeded or self.members < 0
        return not self.exceeded
