"""A kind of secret, and a secret that was found: what it is and where it lies, and never the secret itself."""

from __future__ import annotations

import msgspec

__all__ = ["Kind", "Secret"]


class Kind(msgspec.Struct, frozen=True):
    """A kind of secret, under a name by which settings can allow it."""

    id: str  # github-token
    title: str  # "a token of GitHub"


class Secret(msgspec.Struct, frozen=True):
    """A secret in a file or in a text."""

    kind: Kind
    line: int = 0  # counted from 1; 0 where there are no lines, as in an ELF file
    name: str = ""  # by which it is called there, as DB_PASSWORD; empty where it has none
    within: tuple[str, ...] = ()  # what of the file holds it, from the outside in: a member of an archive, an encoding
    proven: bool = False  # its own checksum says that somebody issued it

    @property
    def told(self) -> str:
        """What it is, how it is called, and what of the file holds it."""
        return (
            self.kind.title
            + (f" ({self.name})" if self.name else "")
            + "".join(map(", in {}".format, reversed(self.within)))
        )

    def __str__(self) -> str:
        line = f", in line {self.line}" if self.line else ""
        return f"{self.told}{line} [{self.kind.id}]"
