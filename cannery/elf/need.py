"""A shared library that an ELF file asks for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Need"]


@dataclass(frozen=True, slots=True)
class Need:
    """A shared library that an ELF file asks for by name."""

    soname: str
    by: str  # the path of the file that needs it
    search: tuple[str, ...] = ()  # folders that the file says to look in first
