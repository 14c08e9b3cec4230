"""Platforms of images, and the one table of the names that machines have elsewhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import ImageError, RuntimeTreeError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MACHINES", "TRIPLETS", "Machine", "Platform", "machine_platform", "platform_of_uname"]


@dataclass(frozen=True, slots=True)
class Machine:
    """A kind of processor, by the names that others have for it."""

    architecture: str  # Go's name, which images use (OCI image-spec v1.1, image-index.md)
    uname: tuple[str, ...]  # the kernels' names
    elf: str  # that of an ELF header's e_machine
    variant: str = ""  # that the kernel's name tells: armv7l is arm/v7
    usual: str = ""  # the variant that a platform without one means (containerd, platforms/database.go)
    triplet: str = ""  # how triplets of zig, uv, OpenSSL and autoconf begin; empty where nothing is made for it


MACHINES: Final = (
    Machine("amd64", ("x86_64",), "EM_X86_64", usual="v1", triplet="x86_64"),
    Machine("arm64", ("aarch64", "arm64"), "EM_AARCH64", usual="v8", triplet="aarch64"),
    Machine("arm", ("armv7l",), "EM_ARM", variant="v7", usual="v7"),
    Machine("386", ("i686",), "EM_386"),
    Machine("ppc64le", ("ppc64le",), "EM_PPC64"),
    Machine("riscv64", ("riscv64",), "EM_RISCV"),
    Machine("s390x", ("s390x",), "EM_S390"),
)

TRIPLETS: Final = {each.architecture: each.triplet for each in MACHINES if each.triplet}
_USUAL: Final = {each.architecture: each.usual for each in MACHINES}
_ARM: Final = ("v5", "v6", "v7", "v8")  # variants of 32-bit ARM: each runs what those before it run


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and an architecture by Go's names (OCI image-spec v1.1, config.md)."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``linux/arm64`` or ``linux/arm/v7``; raises :class:`ImageError` for what is written otherwise."""
        parts = text.split("/")
        if len(parts) not in {2, 3} or not all(parts):
            raise ImageError(f"not a platform: {text!r}", step="write it as in  linux/amd64  or  linux/arm64/v8")
        return cls(*parts)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Platform:
        """Read the properties ``os``, ``architecture`` and ``variant`` of a configuration or a descriptor."""
        return cls(*(str(value.get(key) or "") for key in ("os", "architecture", "variant")))

    def as_json(self) -> dict[str, str]:
        """The same as properties of a configuration or a descriptor."""
        told = {"os": self.os, "architecture": self.architecture}
        return {**told, "variant": self.variant} if self.variant else told

    def agrees(self, other: Platform) -> bool:
        """True where both may be one machine: a variant that isn't told may be any."""
        same = (self.os, self.architecture) == (other.os, other.architecture)
        return same and (self.variant == other.variant or not (self.variant and other.variant))

    def runs_on(self, other: Platform) -> bool:
        """True where programs for this platform run on ``other``: a variant that isn't told is the usual one."""
        if (self.os, self.architecture) != (other.os, other.architecture):
            return False
        mine, theirs = self.told_variant, other.told_variant
        if self.architecture == "arm" and {mine, theirs} <= set(_ARM):
            return _ARM.index(mine) <= _ARM.index(theirs)
        return mine == theirs

    @property
    def told_variant(self) -> str:
        """The variant, or the usual one of the architecture."""
        return self.variant or _USUAL.get(self.architecture, "")

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


def platform_of_uname(system: str, name: str) -> Platform:
    """The platform of ``system`` on a machine whose kernel calls it ``name``: ``x86_64``, ``aarch64`` (uname(2)).

    Raises :class:`RuntimeTreeError` where images have no name for such a machine.
    """
    for machine in MACHINES:
        if name in machine.uname:
            return Platform(system, machine.architecture, machine.variant)
    raise RuntimeTreeError(f"images have no name for the architecture {name!r}")


def machine_platform() -> Platform:
    """The platform of images for this machine."""
    return platform_of_uname("linux", os.uname().machine)
