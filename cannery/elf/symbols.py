"""The dynamic symbols of an ELF file: what it has for others, and what it asks of them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.elf.constants import DT_STRSZ, DT_STRTAB, DT_SYMTAB, SHN_UNDEF
from cannery.elf.headers import string_at
from cannery.elf.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.elf.rewrite import LoadedElf

__all__ = ["LAYOUT", "Symbol", "Symbols"]

LAYOUT: Final = struct.Struct("<IBBHQQ")  # Elf64_Sym


class Symbol(NamedTuple):
    """A row of the table (``Elf64_Sym``)."""

    name: int  # where it starts in the string table
    info: int  # the binding, and in the lower four bits the type
    other: int
    section: int  # SHN_UNDEF for what is asked of others
    value: int  # an address, in a file that is loaded at zero
    size: int

    @property
    def binding(self) -> int:
        """The files that see the symbol: STB_…."""
        return self.info >> 4

    @property
    def type(self) -> int:
        """The kind of thing at its address: STT_…."""
        return self.info & 15


@dataclass(frozen=True)
class Symbols:
    """The table of symbols, and that of their names."""

    table: bytes
    names: bytes

    @classmethod
    def read(cls, program: LoadedElf) -> Symbols | None:
        """The tables of ``program``; None where the names don't follow the symbols, as all linkers put them.

        How many symbols there are is written nowhere: they end at the latest where their names begin.
        """
        table, names, size = (program.tag(tag) for tag in (DT_SYMTAB, DT_STRTAB, DT_STRSZ))
        if not table or not names or not size or names < table:
            return None
        return cls(program.at(Span(table, names)), program.at(Span.sized(names, size)))

    def row(self, number: int) -> Symbol | None:
        """The symbol of that number, if there is one."""
        start = number * LAYOUT.size
        return Symbol._make(LAYOUT.unpack_from(self.table, start)) if start + LAYOUT.size <= len(self.table) else None

    def name(self, symbol: Symbol) -> bytes:
        """The name of ``symbol``; raises :class:`MalformedElfError` where it lies outside the table of names."""
        return string_at(self.names, symbol.name)

    def defined(self) -> Iterator[bytes]:
        """The names that others find here.

        Undefined symbols with a value are among them: a program that is loaded at a fixed address calls a function
        of a library at an address of its own, which is then that function's for all (psABI, "Function Addresses").
        """
        return (self.name(each) for each in self._rows() if each.section != SHN_UNDEF or each.value)

    def asked_for(self) -> Iterator[bytes]:
        """The names that are looked for elsewhere."""
        return (self.name(each) for each in self._rows() if each.section == SHN_UNDEF)

    def _rows(self) -> Iterator[Symbol]:
        """All rows with a name: other tables may lie between the symbols and their names, and are read as rows too.

        So there may be more names than there are symbols, never fewer.
        """
        whole = len(self.table) - len(self.table) % LAYOUT.size
        rows = map(Symbol._make, LAYOUT.iter_unpack(self.table[:whole]))
        return (row for row in rows if 0 < row.name < len(self.names))
