"""An ELF file without what no loader reads: symbols and debugging information.

What goes is told by segments, which are all that a loader looks at, and not by sections alone: no byte of a segment
moves or changes, so the program in memory is what it was before. (GNU strip lays the file out anew by its sections,
and breaks libraries that patchelf has changed: numpy #20101.) What lies between segments becomes zeros, which cost
next to nothing in a compressed layer; what lies behind the last is cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.elf.constants import ET_CORE, ET_DYN, ET_EXEC, ET_REL, PT_LOAD, SHT_NOBITS, SHT_NULL
from cannery.elf.headers import ElfReader, MalformedElfError, Section, Segment, UnsupportedElfError
from cannery.elf.outcome import Outcome, rewritten
from cannery.elf.patched import Patch, Patched
from cannery.elf.sections import SectionTable
from cannery.elf.spans import Span, merged, subtracted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cannery.image.content import Content

__all__ = ["strip_elf"]

_PAGE = 4096  # bytes
_ALIGNMENT = 8  # of the section header table
_WORTHWHILE = 512  # bytes: a block of an archive; so what a distribution has stripped stays the distribution's
_KINDS = {ET_REL: "an object file, whose symbols are what a linker reads", ET_CORE: "a core file, which nobody runs"}


def strip_elf(content: Content) -> Outcome:
    """``content`` without its symbols and debugging information; loading and running it needs neither.

    It is read in pieces while it's written, so it may be as large as it likes. It comes back as it is where that saves
    hardly anything, and, with the reason, where something could be lost: a file that is neither a program nor a shared
    library, that is malformed, or that carries what no header tells of, as self-extracting programs do.
    """
    return rewritten("strip", content, _stripped)


def _stripped(content: Content, reader: ElfReader) -> Content:
    header = reader.header
    if header.type not in {ET_EXEC, ET_DYN}:
        raise UnsupportedElfError(f"it is {_KINDS.get(header.type, f'of the unknown type {header.type}')}")
    if not header.phnum:
        raise UnsupportedElfError("it has no segments, so nothing tells what a loader would read")
    if not header.shnum and not header.shoff:
        return content  # sections are where symbols are found
    if not 0 < header.shstrndx < header.shnum:
        raise UnsupportedElfError(f"its sections have no names: they should be in number {header.shstrndx}")
    table = SectionTable.read(reader)
    needed = _needed(reader, table)
    spare = subtracted(_spare(reader, table), needed)
    end = needed[-1].stop
    if table.has_only_debugging_information:
        raise UnsupportedElfError("it is all debugging information: its code lies in another file")
    if unknown := _unknown(reader, end, spare):
        raise UnsupportedElfError(f"it carries {unknown.size:,} bytes at {unknown.start:,} that no header tells of")
    return _put_together(content, reader, table, end, spare)


def _put_together(content: Content, reader: ElfReader, table: SectionTable, end: int, spare: Sequence[Span]) -> Content:
    """Write zeros over what's spare before ``end``, cut off what's behind it, and add the new table."""
    length = len(table.render(0))
    place = _place(spare, end, length)
    size = max(end, place + length)
    if sum(span.size for span in spare) < length + _WORTHWHILE or size > content.size:
        return content
    header = reader.header._replace(shoff=place, shnum=table.rows, shstrndx=table.rows - 1)
    start = min(end, place)  # from the end on, zeros lie before an aligned table
    return Patched(
        content,
        size,
        (
            *(Patch(hole.start, hole.stop) for hole in spare if hole.stop <= end),
            Patch(start, place + length, table.render(place).rjust(place + length - start, b"\0")),
            Patch(0, reader.encoding.header.size, reader.encoding.header.pack(*header)),
        ),
    )


def _needed(reader: ElfReader, table: SectionTable) -> list[Span]:
    """The bytes that stay where they are: the headers, the segments, and the sections that are kept."""
    header = reader.header
    return _within(
        reader,
        [
            Span.sized(0, reader.encoding.header.size),
            Span.sized(header.phoff, header.phnum * header.phentsize),
            *map(_extent, reader.segments()),
            *_contents(table.kept()),
        ],
    )


def _spare(reader: ElfReader, table: SectionTable) -> list[Span]:
    """The bytes that may go, unless they are needed too: the sections that are not kept, and the table of them all."""
    header = reader.header
    return _within(reader, [Span.sized(header.shoff, header.shnum * header.shentsize), *_contents(table.dropped())])


def _extent(segment: Segment) -> Span:
    """The bytes of a segment. An empty one maps the page that it would start in, so the file must reach that."""
    if segment.type == PT_LOAD and not segment.filesz:
        return Span(max(0, segment.offset - 1), segment.offset)
    return Span.sized(segment.offset, segment.filesz)


def _contents(sections: Iterable[Section]) -> list[Span]:
    """The bytes of those sections that have any in the file."""
    return [
        Span.sized(section.offset, section.size) for section in sections if section.type not in {SHT_NULL, SHT_NOBITS}
    ]


def _within(reader: ElfReader, spans: Iterable[Span]) -> list[Span]:
    result = merged(spans)
    if result and result[-1].stop > reader.size:
        raise MalformedElfError(f"its headers name {result[-1].stop:,} bytes, and it has {reader.size:,}")
    return result


def _unknown(reader: ElfReader, end: int, spare: Sequence[Span]) -> Span | None:
    """The first bytes behind ``end`` that no header tells of, unless they are zeros of less than a page (alignment)."""
    unknown = subtracted([Span(end, reader.size)], spare)
    return next((span for span in unknown if span.size >= _PAGE or any(reader.at(span.start, span.size))), None)


def _place(spare: Sequence[Span], end: int, length: int) -> int:
    """A place for ``length`` bytes: between two segments, so that the file gets no longer, or behind the last."""
    holes = [span for span in spare if span.stop <= end]
    starts = ((_aligned(hole.start), hole.stop) for hole in holes)
    return next((start for start, stop in starts if start + length <= stop), _aligned(end))


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT
