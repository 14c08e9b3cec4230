"""An ELF file without what the loader of its image does without, and without gaps.

Beside what ``strip`` takes these are parts of segments: relocations that have a shorter form, the tables by which
exceptions find their way where nothing raises any, and section headers. No code and no data change their address.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from cannery.elf.constants import SHT_NOBITS
from cannery.elf.eh_frame import drop_tables
from cannery.elf.headers import MAGIC, ElfError, ElfReader, UnsupportedElfError
from cannery.elf.outcome import Outcome, Refusal
from cannery.elf.relr import pack_relocations
from cannery.elf.rewrite import LoadedElf
from cannery.elf.sections import SectionTable
from cannery.image.content import Inline

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cannery.elf.headers import Section
    from cannery.image.content import Content

__all__ = ["COMPACT", "DROP", "MOST", "PACK", "compact_elf"]

COMPACT, PACK, DROP = "compact", "pack relocations", "drop exception tables"  # what is tried
MOST = 1 << 28  # bytes: what is taken apart lies in memory
_LINKERS = re.compile(  # the sections that are nobody's in particular
    r"|\.gnu\.warning\..*|\.(note\..*|hash|gnu\.(hash|version(_[dr])?)|dyn(sym|str|amic)|rela?\.(dyn|plt)|relr\.dyn|shstrtab|interp|init|fini"
    r"|plt(\..*)?|got(\..*)?|l?rodata|eh_frame(_hdr)?|gcc_except_table|(pre)?(init|fini)_array|[cd]tors|jcr"
    r"|text|data|data\.rel\.ro|bss|l(data|bss)|t(data|bss)|tm_clone_table|relro_padding)"
)


def compact_elf(content: Content, *, relr: bool, keep_eh_frame: bool, own: Collection[bytes] = ()) -> Outcome:
    """``content`` without what nobody reads; as it is, with the reason, where there's no telling.

    With ``relr`` its relocations are packed (DT_RELR), which its loader must be able to read. With ``keep_eh_frame`` it
    keeps the tables by which exceptions go through its functions; without them, nothing may raise any there. ``own``
    are names of symbols that are defined exactly once among all files that are loaded together.
    """
    with content.open() as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            return Outcome(content)
        if content.size > MOST:
            return Outcome(content, (Refusal(COMPACT, f"it has {content.size:,} bytes, more than {MOST:,}"),))
        data = MAGIC + stream.read()
    try:
        program = LoadedElf.read(data)
        table = _table(data)
        _check_nothing_else(data, program, table)
        refusals = _refused(PACK, lambda: pack_relocations(program, own)) if relr else ()
        refusals += () if keep_eh_frame else _refused(DROP, lambda: drop_tables(program))
        result = program.assembled(table if table and any(map(_is_special, table.names)) else None)
    except ElfError as error:
        return Outcome(content, (Refusal(COMPACT, str(error)),))
    return Outcome(content if len(result) >= len(data) else Inline(result), refusals)


def _refused(tried: str, change: Callable[[], bool]) -> tuple[Refusal, ...]:
    """Make one ``change`` of several; a file that can't have it may have the others."""
    try:
        change()
    except UnsupportedElfError as error:
        return (Refusal(tried, str(error)),)
    return ()


def _table(data: bytes) -> SectionTable | None:
    reader = ElfReader(io.BytesIO(data), len(data))
    return SectionTable.read(reader) if 0 < reader.header.shstrndx < reader.header.shnum else None


def _check_nothing_else(data: bytes, program: LoadedElf, table: SectionTable | None) -> None:
    """Raise :class:`UnsupportedElfError` where there is more than segments and sections that are known.

    Programs carry archives in sections of their own, and behind the end of all.
    """
    end = max(each.offset + each.filesz for each in program.segments)
    if table is not None:
        for name in table.names_of_unknown():
            if not name.startswith(b".gnu.warning."):  # the words of a linker's warning
                raise UnsupportedElfError(f"it carries a section of its own: {name.decode(errors='replace')}")
        header = program.header
        end = max(end, header.shoff + header.shnum * header.shentsize, *(map(_end, table.sections)))
    if any(data[end:]):
        raise UnsupportedElfError(f"it carries {len(data) - end:,} bytes at {end:,} that no header tells of")


def _end(section: Section) -> int:
    return section.offset + section.size if section.type != SHT_NOBITS else 0


def _is_special(name: bytes) -> bool:
    """True where a program may look for that section in its own file: then all sections keep their rows."""
    return not _LINKERS.fullmatch(name.decode(errors="replace"))
