"""The tables by which exceptions find their way through functions (``.eh_frame``), and the files that need them.

C++ and Rust need them. glibc uses them where it ends a thread, and does without: a function that has no table is the
end of the stack to it, and it goes on where the thread was started (``pthread_exit`` in nptl/unwind.c). C functions
have tables for the sake of others: exceptions that go through them, and debuggers. README.md beside this module has
the whole reasoning.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from cannery.elf.constants import PT_GNU_EH_FRAME
from cannery.elf.headers import UnsupportedElfError
from cannery.elf.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.elf.rewrite import LoadedElf
    from cannery.elf.symbols import Symbols

__all__ = ["drop_tables", "has_tables", "who_asks"]

# The functions by which a file shows that it raises, catches, cleans up after exceptions or walks the stack.
_ASKS = re.compile(
    rb"""
    # The unwinder's own functions (Itanium C++ ABI: Exception Handling, 1): _Unwind_RaiseException raises, landing pads
    # of functions with something to clean up end in _Unwind_Resume, _Unwind_Backtrace walks.
      _Unwind_.*
    # C++'s runtime (the same, 2): __cxa_throw, __cxa_begin_catch, ... Every library that gcc links asks for the three
    # left out: they note and call what is to run at the end, and are no part of exceptions.
    | __cxa_(?!finalize|atexit|thread_atexit).*
    # What the tables name to find out what a function does with an exception: of C++, of C with
    # __attribute__((cleanup)), of Ada, D, Go, Objective-C; and of Rust.
    | __g\w+_personality_\w+
    | rust_eh_personality
    # Ada's and D's functions that raise: their callers may ask for nothing else.
    | __gnat_(raise|rcheck|reraise).*
    | _d_(throw|eh_).*
    # Tables that are made at run time, by compilers inside programs.
    | __(de)?register_frame.*
    # How an unwinder that is linked in finds the tables of all files that are loaded: libgcc_eh's, LLVM's, Rust's.
    | dl_iterate_phdr
    | _dl_find_object
    # The stack, walked for a message (backtrace(3)).
    | (__)?backtrace(_symbols.*)?
    # LLVM's libunwind by its own names.
    | unw_.*
    # Ends another thread wherever that is. By caution: without tables glibc ends it as pthread_exit does.
    | pthread_cancel
    """,
    re.VERBOSE,
)
# The libraries that others raise exceptions by: whoever links to one may do so through functions of any name
# (std::vector::at calls std::__throw_out_of_range_fmt). Wheels bring them with a digest in the name.
_LIBRARIES = re.compile(r"lib(stdc\+\+|gcc_s|c\+\+|c\+\+abi|unwind|objc|gnat|gnarl|g?phobos2?|g?druntime)(?!\w).*")
_CIE_VERSION, _PCREL_4, _UDATA_4 = 1, 0x1B, 0x03  # DW_EH_PE_pcrel | DW_EH_PE_sdata4, DW_EH_PE_udata4
_HEADER = 12  # bytes, with the distance to the table and the number of its entries
_GAP = 64  # bytes, between two sections
_LONGER = 0xFFFFFFFF  # the length of an entry that has more than 4 GB


def who_asks(needed: Iterable[str], symbols: Symbols | None) -> str | None:
    """How a file shows that it may need tables, its own or those of what it links to; None where it needs none.

    ``needed`` are the libraries that it links to. Where its ``symbols`` are not known there's no telling.
    """
    library = next((name for name in needed if _LIBRARIES.fullmatch(name)), None)
    if library is not None:
        return f"links to {library}"
    if symbols is None:
        return "has symbols that can't be read"
    function = next((name for name in symbols.asked_for() if _ASKS.fullmatch(name)), None)
    return f"asks for {function.decode(errors='replace')}" if function is not None else None


def has_tables(program: LoadedElf) -> bool:
    """True where a file has tables that a loader knows of."""
    return any(each.type == PT_GNU_EH_FRAME for each in program.segments)


def drop_tables(program: LoadedElf) -> bool:
    """Drop the tables where there are some; returns whether there were.

    Raises :class:`UnsupportedElfError`, and drops none, where it can't be told from where to where they go.
    """
    header = next((each for each in program.segments if each.type == PT_GNU_EH_FRAME), None)
    if header is None:
        return False
    # It asks nobody for anything, whether it raises or not.
    if program.loads_itself:
        raise UnsupportedElfError("all its libraries are inside (-static-pie), and one of them may raise")
    start, count = _told(program, header.span)
    stop = _end(program, start, count)
    between = Span(header.span.stop, start)
    program.drop(header.span)
    program.drop(Span(start, stop))
    if 0 < between.size <= _GAP and not any(program.at(between)):
        program.drop(between)
    return True


def _told(program: LoadedElf, header: Span) -> tuple[int, int]:
    """The address where the tables begin, and how many functions have one (``.eh_frame_hdr``; LSB 5.0, 10.6.2)."""
    data = program.at(header)
    if len(data) < _HEADER or (data[0], data[1], data[2]) != (_CIE_VERSION, _PCREL_4, _UDATA_4):
        raise UnsupportedElfError("its .eh_frame_hdr is not written as linkers write it")
    distance, count = struct.unpack_from("<iI", data, 4)
    return header.start + 4 + distance, count


def _end(program: LoadedElf, start: int, count: int) -> int:
    """The address where the entries end that begin at ``start``, of which ``count`` are functions' (LSB 5.0, 10.6.1).

    An entry of zero length ends them, or the segment does, in files that are linked without the compiler's crtend.o.
    """
    segment = program.segment_of(Span.sized(start, 4))
    data = program.at(Span(start, segment.span.stop)) if segment else b""
    place = functions = 0
    while place + 8 <= len(data):
        length, common = struct.unpack_from("<II", data, place)
        if length in {0, _LONGER} or place + 4 + length > len(data):
            break
        functions += common != 0
        place += 4 + length
    if functions != count:
        raise UnsupportedElfError(f"its .eh_frame_hdr tells of {count} functions, and its .eh_frame of {functions}")
    return start + place + (4 if data[place : place + 4] == bytes(4) else 0)
