"""The inventory of an image: each distribution, program and library that is really in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["BuiltFrom", "Inventory", "Item", "ItemKind"]

ItemKind = Literal["distribution", "interpreter", "library", "package"]


class BuiltFrom(NamedTuple):
    """The file that something was built from."""

    address: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is in an image and has a name."""

    kind: ItemKind  # a Python distribution, a Python, a library, a package of a system's distribution
    name: str
    version: str  # empty where nothing tells it
    purl: str = ""  # (purl-spec); empty for what has none
    licence: str = ""  # an expression by SPDX, or what its metadata says; empty where they say nothing
    digest: str = ""  # SHA-256 of the list of its files, as sha256sum writes it; empty where it has none
    paths: tuple[str, ...] = ()  # of its files in the image; of large ones the folder at their top
    origin: str = ""  # who made it what it is: "Debian", "bundled by numpy 2.3.0", "built from source"
    cpe: str = ""  # (CPE 2.3), for what has no purl that data bases of vulnerabilities know
    left_out: tuple[str, ...] = ()  # its modules that are not in the image; one stands for all below it, too
    sources: tuple[BuiltFrom, ...] = ()  # what it was built from, where that is known
    bare: bool = False  # True for a distribution of which nothing is there but its metadata

    def lacks(self, module: str) -> bool:
        """True where ``module`` was left out, or a package above it."""
        return any(module == each or module.startswith(f"{each}.") for each in self.left_out)


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that is known to be in an image."""

    name: str  # the image's
    version: str
    platform: str  # "linux/amd64"
    items: tuple[Item, ...]  # sorted
    system: str = ""  # the distribution whose packages are in it, as /etc/os-release calls it: "debian 13"

    def of_kind(self, kind: ItemKind) -> tuple[Item, ...]:
        """The items of a kind, in order."""
        return tuple(item for item in self.items if item.kind == kind)

    def distribution(self, name: str) -> Item | None:
        """The Python distribution of that normalised name (PEP 503); None where it isn't in the image."""
        return next((item for item in self.of_kind("distribution") if item.name == name), None)
