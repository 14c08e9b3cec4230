"""The dynamic symbols of an ELF file: what it has for others, and what it asks of them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cannery.elf.headers import string_at
from cannery.elf.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.elf.rewrite import LoadedElf

__all__ = ["Symbol", "Symbols"]

_STRTAB, _SYMTAB, _STRSZ = 5, 6, 10  # DT_…
_LAYOUT = struct.Struct("<IBBHQQ")  # Elf64_Sym


class Symbol(NamedTuple):
    """A row of the table (``Elf64_Sym``)."""

    name: int
    info: int
    other: int
    section: int  # zero for what is asked of others
    value: int
    size: int


@dataclass(frozen=True)
class Symbols:
    """The table of symbols, and that of their names."""

    table: bytes
    names: bytes

    @classmethod
    def read(cls, program: LoadedElf) -> Symbols | None:
        """Those of a program; None where they don't end before their names begin, as all linkers put them."""
        table, names, size = (program.tag(tag) for tag in (_SYMTAB, _STRTAB, _STRSZ))
        if not table or not names or not size or names < table:
            return None
        return cls(program.at(Span(table, names)), program.at(Span.sized(names, size)))

    def row(self, number: int) -> Symbol | None:
        """The symbol of that number, if there is one."""
        start = number * _LAYOUT.size
        return Symbol._make(_LAYOUT.unpack_from(self.table, start)) if start + _LAYOUT.size <= len(self.table) else None

    def name(self, symbol: Symbol) -> bytes:
        """What a symbol is called."""
        return string_at(self.names, symbol.name)

    def defined(self) -> Iterator[bytes]:
        """The names that others find here; those too whose address a program without a table of its own decides."""
        return (self.name(each) for each in self._rows() if each.section or each.value)

    def asked_for(self) -> Iterator[bytes]:
        """The names that are looked for elsewhere."""
        return (self.name(each) for each in self._rows() if not each.section)

    def _rows(self) -> Iterator[Symbol]:
        """All rows that may be symbols: where the table ends is written nowhere, and other tables may follow it."""
        whole = len(self.table) - len(self.table) % _LAYOUT.size
        rows = map(Symbol._make, _LAYOUT.iter_unpack(self.table[:whole]))
        return (row for row in rows if 0 < row.name < len(self.names))
