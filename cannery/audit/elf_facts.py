"""Facts about an ELF file: what it links to, what it carries, and the texts in it that tell of sources and secrets.

Machine code, symbols' names for linkers and relocations tell nothing, and are most of a large library: they are not
looked at.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Final

from cannery.audit.contents import ElfFacts, NodeFacts
from cannery.audit.readable import readable_strings, unpacked_texts_of
from cannery.audit.traces import MOST_SHOWN, build_paths, has_source, source_lines
from cannery.elf.components import ComponentSearch
from cannery.elf.constants import PT_LOAD
from cannery.elf.dynamic import machine_of, read_elf
from cannery.elf.headers import ElfReader, MalformedElfError
from cannery.elf.sections import SectionTable
from cannery.elf.spans import Span, merged, subtracted
from cannery.image.content import Content, Inline
from cannery.secrets.search import secrets_in, secrets_in_binary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.elf.headers import Section
    from cannery.secrets.kind import Secret

__all__ = ["elf_node_facts"]

_PIECE: Final = 1 << 20  # bytes that are looked at in one go
_OVERLAP: Final = 1 << 12  # of them that are looked at again with the next: a match may lie across both
_IN_MEMORY: Final = 1 << 26  # bytes: larger files are kept in a temporary one
_MOST_MODULES: Final = 100  # in one file: a library of Python itself has as many
_TRAILER: Final = 1 << 12  # bytes behind the end of an ELF file that alignment may explain; more are an archive
_LAUNCHER: Final = b"_CANNERY_PROGRAM\0"  # a name in every static executable (static/launcher: main.c, stub.c)
_PYINSTALLER: Final = b"MEI\014\013\012\013\016"  # its archives' cookie (PyInstaller/archive/writers.py)
_CYTHON: Final = b"cython_runtime"  # a module that each of Cython's makes for itself
_INIT: Final = re.compile(rb"PyInit_(\w+)")
_DEBUG: Final = re.compile(rb"\.z?debug(_.*)?|\.gdb_index|\.stab.*|\.gnu_debugdata")
_EXECUTABLE = 1  # PF_X
_SYMBOLS = 2  # SHT_SYMTAB
_EMPTY = frozenset((0, 8))  # SHT_NULL, SHT_NOBITS
_TELL_NOTHING = frozenset((_SYMBOLS, 4, 9, 19))  # SHT_RELA, SHT_REL, SHT_RELR


def elf_node_facts(pieces: Iterable[bytes], size: int, *, readable: bool = False, thorough: bool = False) -> NodeFacts:
    """The facts about the ELF file of ``size`` bytes in ``pieces``.

    With ``readable`` the texts that people can read in a module are among them; with ``thorough`` what Cython packs is
    unpacked and searched.
    """
    with _kept(pieces, size) as content:
        seen = _Seen()
        for window in _windows(content):
            seen.look(window)
        if thorough and seen.is_cython:
            for text in unpacked_texts_of(content):
                seen.take_secrets(secret for secret, _ in secrets_in(".py", text.replace(b"\0", b"\n")))
                seen.take_secrets(secrets_in_binary(text, noise=False))
        facts = _elf_facts(content)
        return NodeFacts(
            elf=replace(facts, carries=seen.carries) if seen.carries else facts,
            secrets=tuple(seen.secrets),
            build_paths=tuple(seen.build_paths)[:MOST_SHOWN],
            source_lines=tuple(seen.source_lines)[:MOST_SHOWN],
            initializes=tuple(seen.initializes),
            components=seen.components.found(),
            readable=readable_strings(content) if readable and seen.initializes else (),
        )


class _Seen:
    """Facts from the parts of an ELF file that were looked at so far."""

    def __init__(self) -> None:
        self.initializes: dict[str, None] = {}
        self.secrets: dict[Secret, None] = {}
        self.carries = ""
        self.build_paths: dict[str, None] = {}
        self.source_lines: dict[str, None] = {}
        self.is_cython = False
        self.components = ComponentSearch()

    def look(self, data: bytes) -> None:
        """Look at the next part."""
        if b"PyInit_" in data and len(self.initializes) < _MOST_MODULES:
            self.initializes |= dict.fromkeys(name.decode() for name in _INIT.findall(data))
        self.is_cython = self.is_cython or _CYTHON in data
        self.take_secrets(secrets_in_binary(data))
        self.components.look(data)
        if _PYINSTALLER in data:
            self.carries = "PyInstaller's archive of modules"
        elif _LAUNCHER in data:
            self.carries = "cannery's archive of modules"
        if len(self.build_paths) < MOST_SHOWN:
            self.build_paths |= dict.fromkeys(build_paths(data))
        if len(self.source_lines) < MOST_SHOWN and has_source(data):
            self.source_lines |= dict.fromkeys(source_lines(data))

    def take_secrets(self, secrets: Iterable[Secret]) -> None:
        """Keep each kind once: a program has no lines by which to tell two of a kind."""
        self.secrets |= dict.fromkeys(secrets)


def _windows(content: Content) -> Iterator[bytes]:
    """The parts of a file that may tell something, in pieces that overlap."""
    with content.open() as stream:
        for span in _telling(content):
            stream.seek(span.start)
            left, before = span.size, b""
            while left > 0 and (data := stream.read(min(left, _PIECE))):
                left -= len(data)
                yield before + data if before else data
                before = data[-_OVERLAP:]


def _telling(content: Content) -> list[Span]:
    """All of the file but its machine code, its symbols and its relocations, as far as its headers can be read."""
    whole = [Span(0, content.size)]
    with content.open() as stream:
        try:
            reader = ElfReader(stream, content.size)
            code = [
                each for each in reader.segments() if each.type == PT_LOAD and each.flags & _EXECUTABLE and each.offset
            ]
            quiet = [Span.sized(each.offset, each.filesz) for each in code]
            quiet += [Span.sized(each.offset, each.size) for each in _untold(reader.sections())]
            return list(subtracted(whole, merged(quiet)))
        except (MalformedElfError, IndexError):
            return whole


def _untold(sections: Iterable[Section]) -> Iterator[Section]:
    """Sections of symbols that no loader reads, with their names, and of relocations."""
    every = list(sections)
    for section in every:
        if section.type in _TELL_NOTHING:
            yield section
        if section.type == _SYMBOLS and section.link < len(every):
            yield every[section.link]


def _elf_facts(content: Content) -> ElfFacts:
    links = read_elf(content)
    with content.open() as stream:
        try:
            reader = ElfReader(stream, content.size)
            debug, carries = _sections(reader)
            return ElfFacts(links, machine_of(reader), debug, carries or _behind(reader))
        except (MalformedElfError, IndexError):
            return ElfFacts(links, links.machine if links else "")


def _sections(reader: ElfReader) -> tuple[tuple[str, ...], str]:
    """The names of sections for debuggers, and the words for staticx's archive where a section holds one."""
    header = reader.header
    if not 0 < header.shstrndx < header.shnum:
        return (), ""
    names = SectionTable.read(reader).names
    debug = tuple(name.decode("ascii", "replace") for name in names if _DEBUG.fullmatch(name))
    carries = "staticx's archive of libraries and program" if b".staticx.archive" in names else ""
    return debug, carries


def _behind(reader: ElfReader) -> str:
    """The words for data behind everything that the headers name; empty where there is none."""
    header = reader.header
    ends = [segment.offset + segment.filesz for segment in reader.segments()]
    ends += [header.shoff + header.shnum * header.shentsize, header.phoff + header.phnum * header.phentsize]
    if header.shnum:
        ends += [section.offset + section.size for section in reader.sections() if section.type not in _EMPTY]
    more = reader.size - max(ends)
    return f"{more:,} bytes behind its end" if more > _TRAILER else ""


@dataclass(frozen=True)
class _Unnamed:
    """Content in a temporary file that has no name."""

    file: BinaryIO
    size: int

    def open(self) -> BinaryIO:
        """A stream from the first byte; one at a time, as all share an offset."""
        stream = os.fdopen(os.dup(self.file.fileno()), "rb")
        stream.seek(0)
        return stream


@contextmanager
def _kept(pieces: Iterable[bytes], size: int) -> Iterator[Content]:
    """The whole content, in memory or, where it is large, in a temporary file."""
    if size <= _IN_MEMORY:
        yield Inline(b"".join(pieces))
        return
    with tempfile.TemporaryFile() as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        yield _Unnamed(file, size)
