"""The tables by which exceptions find their way through a program's functions, and whether anything raises any.

C++ and Rust do, and so does glibc where it ends a thread: at the first function without a table it takes that for the
end of the stack, and goes on where the thread was started (``pthread_exit`` in nptl/unwind.c). C functions carry the
tables for others' sake: for exceptions that go through them, and for debuggers.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from cannery.elf.rewrite import PT_GNU_EH_FRAME
from cannery.elf.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.elf.rewrite import LoadedElf
    from cannery.elf.symbols import Symbols

__all__ = ["asks_for_tables", "drop_tables"]

# Who raises, catches or walks the stack, brings the functions for it along, or cancels a thread in the middle of it.
_ASKS = re.compile(
    rb"_Unwind_.*|__cxa_(?!finalize|atexit|thread_atexit).*|__g\w+_personality_\w+|rust_eh_personality"
    rb"|__(de)?register_frame.*|dl_iterate_phdr|_dl_find_object|(__)?backtrace(_symbols.*)?|unw_.*|pthread_cancel"
)
_LIBRARIES = re.compile(r"lib(stdc\+\+|gcc_s|c\+\+|c\+\+abi|unwind|objc)\b.*")
_PCREL_4 = 0x1B  # DW_EH_PE_pcrel | DW_EH_PE_sdata4
_HEADER = 8  # bytes, with the offset of the table
_GAP = 64  # bytes, between two sections
_LONGER = 0xFFFFFFFF  # the length of an entry that has more than 4 GB


def asks_for_tables(needed: Iterable[str], symbols: Symbols) -> bool:
    """Whether a file may need tables, its own or those of what it links to."""
    if any(_LIBRARIES.fullmatch(name) for name in needed):
        return True
    return any(_ASKS.fullmatch(name) for name in symbols.asked_for())


def drop_tables(program: LoadedElf) -> bool:
    """Drop the tables where there are some; returns whether there were."""
    header = next((each for each in program.segments if each.type == PT_GNU_EH_FRAME), None)
    if header is None or header.filesz < _HEADER:
        return False
    data = program.at(header.span)
    if data[0] != 1 or data[1] != _PCREL_4:
        return False
    start = header.vaddr + 4 + struct.unpack_from("<i", data, 4)[0]
    stop = _end(program, start)
    if stop is None:
        return False
    between = Span(header.span.stop, start)
    program.drop(header.span)
    program.drop(Span(start, stop))
    if 0 < between.size <= _GAP and not any(program.at(between)):
        program.drop(between)
    return True


def _end(program: LoadedElf, start: int) -> int | None:
    """Where the entries end that begin at ``start`` (LSB, "Exception Frames"); None where they are none."""
    segment = program.segment_of(Span.sized(start, 4))
    if segment is None:
        return None
    data = program.at(Span(start, segment.span.stop))
    place = 0
    while place + 4 <= len(data):
        (length,) = struct.unpack_from("<I", data, place)
        if length == 0:
            return start + place + 4
        if length == _LONGER or place + 4 + length > len(data):
            return None
        place += 4 + length
    return start + place
