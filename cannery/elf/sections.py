"""The section header table of an ELF file, without symbols and debugging information."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.elf.constants import (
    SHF_ALLOC,
    SHF_EXECINSTR,
    SHF_INFO_LINK,
    SHT_NOBITS,
    SHT_NOTE,
    SHT_NULL,
    SHT_REL,
    SHT_RELA,
    SHT_STRTAB,
    SHT_SYMTAB,
    SHT_SYMTAB_SHNDX,
)
from cannery.elf.headers import ElfReader, Encoding, Section, string_at

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SectionTable"]

_SYMBOLS = {SHT_NULL, SHT_SYMTAB, SHT_RELA, SHT_REL, SHT_SYMTAB_SHNDX}
_DEBUG = re.compile(
    rb"\.(shstrtab|strtab|comment|line|stab.*|z?debug(_.*)?|gdb_index"
    rb"|gnu_debug(link|altlink|data)|gnu\.build\.attributes.*|(gnu|ARM|riscv)\.attributes)"
)


@dataclass(frozen=True, slots=True)
class SectionTable:
    """Sections and their names. Sections that are loaded stay, and so do those of unknown purpose.

    In sections of their own programs keep what they need: staticx and PyInstaller whole archives.
    """

    encoding: Encoding
    sections: tuple[Section, ...]
    names: tuple[bytes, ...]

    @classmethod
    def read(cls, reader: ElfReader) -> SectionTable:
        """Read the table of a file that has one; raises :class:`MalformedElfError` for one that's broken."""
        sections = reader.sections()
        strings = sections[reader.header.shstrndx]
        blob = reader.at(strings.offset, strings.size)
        return cls(reader.encoding, tuple(sections), tuple(string_at(blob, section.name) for section in sections))

    def kept(self) -> Iterator[Section]:
        """The sections that stay."""
        return (section for index, section in enumerate(self.sections) if self._stays(index))

    def dropped(self) -> Iterator[Section]:
        """The sections that go."""
        return (section for index, section in enumerate(self.sections) if not self._stays(index))

    def names_of_unknown(self) -> Iterator[bytes]:
        """The names of sections that stay, though they aren't loaded. Notes are not among them: tracers read those."""
        stays = (index for index in range(len(self.sections)) if self._stays(index))
        others = (index for index in stays if not self.sections[index].flags & SHF_ALLOC)
        return (self.names[index] for index in others if self.sections[index].type != SHT_NOTE)

    @property
    def has_only_debugging_information(self) -> bool:
        """True where the file's code lies in another file, as ``objcopy --only-keep-debug`` leaves it."""
        return any(section.type == SHT_NOBITS and section.flags & SHF_EXECINSTR for section in self.sections)

    @property
    def rows(self) -> int:
        """How many rows the new table has: up to the last section that stays, and one for the names."""
        return max((index for index in range(len(self.sections)) if self._stays(index)), default=0) + 2

    def render(self, place: int) -> bytes:
        """Return the new table and the names behind it, for a file in which it starts at ``place``.

        A section that goes leaves an inactive row, so that the numbers of the others stay: the dynamic symbols, which
        lie in a segment, name their sections by number.
        """
        layout = self.encoding.section
        strings = _Strings()
        rows = [self._row(index, strings) for index in range(self.rows - 1)]
        own = strings.add(b".shstrtab")
        start = place + self.rows * layout.size
        rows.append(Section(own, SHT_STRTAB, 0, 0, start, len(strings.blob), 0, 0, 1, 0))
        return b"".join(layout.pack(*row) for row in rows) + strings.blob

    def _row(self, index: int, strings: _Strings) -> Section:
        section = self.sections[index]
        if not self._stays(index):
            return Section(*(0,) * len(Section._fields))
        names_section = section.flags & SHF_INFO_LINK or section.type in {SHT_REL, SHT_RELA}
        return section._replace(
            name=strings.add(self.names[index]),
            link=section.link if self._stays(section.link) else 0,
            info=section.info if not names_section or self._stays(section.info) else 0,
        )

    def _stays(self, index: int) -> bool:
        if index >= len(self.sections):
            return False
        section = self.sections[index]
        return bool(section.flags & SHF_ALLOC) or not (section.type in _SYMBOLS or _DEBUG.fullmatch(self.names[index]))


class _Strings:
    """A string table that grows."""

    def __init__(self) -> None:
        self.blob = b"\0"

    def add(self, name: bytes) -> int:
        """Add ``name``; return where it starts."""
        start = len(self.blob)
        self.blob += name + b"\0"
        return start
