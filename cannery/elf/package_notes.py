"""Notes by which an ELF file tells what it was made of: the section ``.note.package``.

The form is that of "Package Metadata for Executable Files" (uapi-group.org/specifications): a note of ``FDO`` that
holds JSON. Scanners read it, and so does what writes about crashed programs. A file has one such note.
"""

from __future__ import annotations

import json
import re
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.elf.constants import SHT_NOTE, SHT_STRTAB
from cannery.elf.headers import MAGIC, Encoding, Header, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NOTE_SECTION", "PackageNote", "note_file", "notes_in"]

NOTE_SECTION: Final = ".note.package"
_OWNER: Final = b"FDO\0"
_TYPE: Final = 0xCAFE1A7E
_NOTE: Final = struct.Struct("<III")  # Elf64_Nhdr
_FIELDS: Final = (
    ("type", "type"),
    ("os", "system"),
    ("osVersion", "release"),
    ("name", "name"),
    ("version", "version"),
)
_CPE: Final = "appCpe"
_NOTED: Final = re.compile(
    rb"\x04\0\0\0(?P<size>..\0\0)" + re.escape(struct.pack("<I", _TYPE) + _OWNER) + rb"(?P<text>\{[^\0]{1,1000}\})\0*",
    re.DOTALL,
)
_ENCODING: Final = Encoding(is_64=True, little_endian=True)
_IDENT: Final = MAGIC + bytes((2, 1, 1)) + bytes(9)  # ELFCLASS64, ELFDATA2LSB, EV_CURRENT


class PackageNote(NamedTuple):
    """What a note tells."""

    type: str  # of the package, by purls' names: "deb", or "generic" for what nobody has packaged
    name: str
    version: str
    system: str = ""  # whose package it is, as /etc/os-release says: "debian"
    release: str = ""  # and which release of that: "13"
    cpe: str = ""  # (CPE 2.3), for what nobody has packaged

    @property
    def section(self) -> bytes:
        """The bytes of the section."""
        given = {name: str(getattr(self, field)) for name, field in (*_FIELDS, (_CPE, "cpe"))}
        told = {name: value for name, value in given.items() if value}
        text = json.dumps(told, separators=(",", ":")).encode() + b"\0"
        return _NOTE.pack(len(_OWNER), len(text), _TYPE) + _OWNER + text + bytes(-len(text) % 4)

    @property
    def assembly(self) -> str:
        """The section for a linker, which keeps it: a note is what garbage collection begins with."""
        values = ", ".join(map(str, self.section))
        return f'.section {NOTE_SECTION},"a",%note\n.balign 4\n.byte {values}\n'


def note_file(note: PackageNote) -> bytes:
    """An ELF file that has this ``note`` and nothing else, for no machine: for what has no file of its own."""
    names = f"\0{NOTE_SECTION}\0.shstrtab\0".encode()
    start = _ENCODING.header.size
    content = note.section + names
    table = start + len(content) + -(start + len(content)) % 8
    row = _ENCODING.section
    header = Header(_IDENT, 0, 0, 1, 0, 0, table, 0, start, 0, 0, row.size, 3, 2)
    sections = (
        Section(*(0,) * len(Section._fields)),
        Section(1, SHT_NOTE, 0, 0, start, len(note.section), 0, 0, 4, 0),
        Section(len(NOTE_SECTION) + 2, SHT_STRTAB, 0, 0, start + len(note.section), len(names), 0, 0, 1, 0),
    )
    padding = bytes(table - start - len(content))
    return _ENCODING.header.pack(*header) + content + padding + b"".join(row.pack(*each) for each in sections)


def notes_in(data: bytes) -> Iterator[PackageNote]:
    """The notes in ``data``, a part of a file; what only looks like one is none."""
    if _OWNER not in data:
        return
    for found in _NOTED.finditer(data):
        try:
            told = json.loads(found["text"])
        except ValueError:
            continue
        named = {field: told.get(name) or "" for name, field in (*_FIELDS, (_CPE, "cpe"))}
        if named["name"] and named["version"] and all(isinstance(each, str) for each in named.values()):
            yield PackageNote(**named)
