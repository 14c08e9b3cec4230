"""Assembly: shared libraries in the executable, and the symbols that they ask it for (launcher/linker.c).

The symbols are an ELF file's own tables, a symbol table, its strings and SysV's hash table, as a dynamic linker reads
them (System V gABI, chapter 5). They refer to the functions by their names, which is why these are linked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.executable.static.libraries import LinkedLibraries

__all__ = ["assembly", "library_file"]

_ITSELF = "libc.so"  # the program, for those who ask for a C library
_GLOBAL, _ANY_SECTION = 0x10, 1  # of a symbol: STB_GLOBAL and STT_NOTYPE; a section that isn't "undefined"


def assembly(libraries: LinkedLibraries, page: int) -> str:
    """The tables for ``libraries``, whose contents lie in files by their numbers; each begins a page of that size."""
    lines = ['.section .rodata.cannery_linker,"a"', ".balign 8"]
    lines += _libraries(libraries)
    tables = {_ITSELF: libraries.program, **libraries.provided}
    lines += [".balign 8", ".global cannery_exports", "cannery_exports:"]
    for number in range(len(tables)):
        lines.append(f".quad soname_{number}, symbols_{number}, hash_{number}, strings_{number}")
    lines.append(".quad 0, 0, 0, 0")
    for number, (soname, symbols) in enumerate(tables.items()):
        lines += [f"soname_{number}:", f'.asciz "{soname}"', *_table(number, sorted(symbols))]
    for number in range(len(libraries.contents)):
        lines += [f'.section .rodata.cannery_library_{number},"a"', f".balign {page}", f"library_{number}:"]
        lines += [f'.incbin "{library_file(number)}"', f"library_{number}_end:"]
    return "\n".join([*lines, '.section .note.GNU-stack,"",%progbits', ""])


def library_file(number: int) -> str:
    """The name of the file that the assembler shall find the content of that number in."""
    return f"{number}.so"


def _libraries(libraries: LinkedLibraries) -> Iterator[str]:
    numbers = {content: number for number, content in enumerate(libraries.contents)}
    yield ".global cannery_libraries\ncannery_libraries:"
    for place, content in enumerate(libraries.files.values()):
        number = numbers[content]
        yield f".quad path_{place}, library_{number}, library_{number}_end"
    yield ".quad 0, 0, 0"
    yield from (f"path_{place}: .asciz {_quoted(path)}" for place, path in enumerate(libraries.files))


def _quoted(path: str) -> str:
    """``path`` as a string of the assembler, whatever bytes it has."""
    return '"' + "".join(f"\\{byte:03o}" for byte in path.encode()) + '"'


def _table(number: int, symbols: list[str]) -> Iterator[str]:
    """The symbol table, its strings and the hash table."""
    yield f".balign 8\nsymbols_{number}:\n.zero 24"
    place = 1
    for name in symbols:
        yield f".long {place}\n.byte {_GLOBAL}, 0\n.short {_ANY_SECTION}\n.quad {name}, 0"
        place += len(name) + 1
    yield f'strings_{number}:\n.ascii "\\0"'
    yield from (f'.asciz "{name}"' for name in symbols)
    buckets, chains = _hashed(symbols)
    yield f".balign 4\nhash_{number}:\n.long {len(buckets)}, {len(chains)}"
    yield from (f".long {index}" for index in (*buckets, *chains))


def _hashed(symbols: list[str]) -> tuple[list[int], list[int]]:
    """The buckets and the chains of symbols that are numbered from 1 on."""
    buckets, chains = [0] * max(1, len(symbols)), [0] * (len(symbols) + 1)
    for number, name in enumerate(symbols, 1):
        bucket = _elf_hash(name) % len(buckets)
        chains[number], buckets[bucket] = buckets[bucket], number
    return buckets, chains


def _elf_hash(name: str) -> int:
    """The hash of a name, as the gABI has it."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high & 0xFFFFFFFF
    return value
