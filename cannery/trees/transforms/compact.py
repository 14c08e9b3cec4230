"""Take from ELF files what the loader of their image does without, and close the gaps in the files.

Beside what ``strip`` takes these are parts of segments: relocations that have a shorter form, the tables by which
exceptions find their way where nothing in the image raises any, and section headers. No code and no data change their
address.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cannery.elf.dynamic import read_elf
from cannery.elf.eh_frame import asks_for_tables, drop_tables
from cannery.elf.headers import MAGIC, ElfReader, MalformedElfError
from cannery.elf.relr import pack_relocations
from cannery.elf.rewrite import LoadedElf
from cannery.elf.sections import SectionTable
from cannery.elf.symbols import Symbols
from cannery.image.content import Inline, OnDisk
from cannery.image.tree import Transform, Tree
from cannery.workspace.digest import Digest
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.elf.headers import Section
    from cannery.image.content import Content
    from cannery.image.tree import Entry, LazyTree
    from cannery.workspace.workspace import Workspace

__all__ = ["Surroundings", "compact", "compact_elf", "raisers_in"]

_MUCH = 1 << 28  # bytes: what is taken apart lies in memory
_LARGE = 8_000_000  # bytes: what is put together doesn't stay there
_SHT_NOBITS = 8
_UNWINDER = "libgcc_s.so.1"  # looks for itself when it looks for anything
_LINKERS = re.compile(  # the sections that are nobody's in particular
    r"|\.gnu\.warning\..*|\.(note\..*|hash|gnu\.(hash|version(_[dr])?)|dyn(sym|str|amic)|rela?\.(dyn|plt)|relr\.dyn|shstrtab|interp|init|fini"
    r"|plt(\..*)?|got(\..*)?|l?rodata|eh_frame(_hdr)?|gcc_except_table|(pre)?(init|fini)_array|[cd]tors|jcr"
    r"|text|data|data\.rel\.ro|bss|l(data|bss)|t(data|bss)|tm_clone_table|relro_padding)"
)


@dataclass(frozen=True)
class Surroundings:
    """What the files of a tree find in their image."""

    packs: bool  # whether the loader reads packed relocations
    raisers: tuple[str, ...] | None  # the libraries that those link to who raise exceptions; None where nobody does
    program: str | None = None  # what is started, where the tree has it


def compact(around: Surroundings, workspace: Workspace) -> Transform:
    """The transform for a tree that is part of an image."""
    key = key_of("compact", code_key(__name__), around.packs, around.raisers, around.program)
    return Transform(key, lambda tree: _compacted(tree, around, workspace))


def raisers_in(trees: Iterable[LazyTree], workspace: Workspace) -> tuple[str, ...] | None:
    """The names of the libraries that those files link to that need tables for exceptions; None where none does."""
    found = [names for tree in trees if (names := _raisers(tree, workspace)) is not None]
    return tuple(sorted({name for names in found for name in names})) if found else None


def compact_elf(data: bytes, *, packs: bool, tables: bool, own: frozenset[bytes] = frozenset()) -> bytes:
    """Return a file without what nobody reads; as it is where there's no telling.

    With ``packs`` its relocations are packed, without ``tables`` it has none for exceptions. ``own`` are names of
    symbols that nobody else has.
    """
    try:
        program = LoadedElf.read(data)
        if program is None:
            return data
        table = _table(data)
        if not _has_nothing_else(data, program, table):
            return data
        if packs:
            pack_relocations(program, own)
        if not tables:
            drop_tables(program)
        result = program.assembled(table if table and any(map(_is_special, table.names)) else None)
    except MalformedElfError:
        return data
    return min(data, result, key=len)


def _table(data: bytes) -> SectionTable | None:
    content = Inline(data)
    with content.open() as stream:
        reader = ElfReader(stream, content.size)
        return SectionTable.read(reader) if 0 < reader.header.shstrndx < reader.header.shnum else None


def _has_nothing_else(data: bytes, program: LoadedElf, table: SectionTable | None) -> bool:
    """Whether segments and sections that are known are all there is: programs carry archives in others, and behind."""
    end = max(each.offset + each.filesz for each in program.segments)
    if table is not None:
        if any(not name.startswith(b".gnu.warning.") for name in table.names_of_unknown()):
            return False
        header = program.header
        end = max(end, header.shoff + header.shnum * header.shentsize, *(map(_end, table.sections)))
    return not any(data[end:])


def _end(section: Section) -> int:
    return section.offset + section.size if section.type != _SHT_NOBITS else 0


def _is_special(name: bytes) -> bool:
    """Whether a program may look for that section in its own file."""
    return not _LINKERS.fullmatch(name.decode(errors="replace"))


def _compacted(tree: Tree, around: Surroundings, workspace: Workspace) -> Tree:
    facts = {path: found for path, file in tree.files() if (found := _LibraryFacts.read(file.content)) is not None}
    kept, started = _with_tables(facts, around), _closure(facts, (around.program,) if around.program else ())
    defined = Counter(name for path in started for name in facts[path].defined)
    own = frozenset(name for name, times in defined.items() if times == 1)
    entries: dict[str, Entry] = dict(tree.entries)
    for path, file in tree.files():
        if path in facts:
            names = own & facts[path].defined if path in started else frozenset()
            entries[path] = replace(
                file, content=_smaller(file.content, workspace, packs=around.packs, tables=path in kept, own=names)
            )
    return Tree(entries)


def _with_tables(facts: Mapping[str, _LibraryFacts], around: Surroundings) -> set[str]:
    """The files that keep their tables: those that exceptions may go through.

    Where anybody raises any, that's what is started with all that it links to, and what raisers link to. What isn't
    part of the runtime may know each other otherwise.
    """
    raisers = [path for path, found in facts.items() if found.asks]
    kept = {path for path in facts if posixpath.basename(path) == _UNWINDER}
    if not raisers and around.raisers is None:
        return kept
    if around.program is None:
        return set(facts)
    linked = [path for path in facts if posixpath.basename(path) in (around.raisers or ())]
    return kept | _closure(facts, (around.program, *raisers, *linked))


def _closure(facts: Mapping[str, _LibraryFacts], start: Iterable[str]) -> set[str]:
    """The files of ``start``, those that they link to, and so on."""
    by_name = {posixpath.basename(path): path for path in facts}
    found: set[str] = set()
    pending = [path for path in start if path in facts]
    while pending:
        path = pending.pop()
        if path not in found:
            found.add(path)
            pending += [by_name[name] for name in facts[path].needed if name in by_name]
    return found


@dataclass(frozen=True)
class _LibraryFacts:
    """What is asked of a file before any is changed."""

    needed: tuple[str, ...]
    asks: bool  # whether it needs tables
    defined: frozenset[bytes]  # the names of symbols that others may take for theirs

    @classmethod
    def read(cls, content: Content) -> _LibraryFacts | None:
        """Those of a file that can be changed."""
        with content.open() as stream:
            if stream.read(len(MAGIC)) != MAGIC or content.size > _MUCH:
                return None
            data = MAGIC + stream.read()
        elf = read_elf(Inline(data))
        try:
            program = LoadedElf.read(data) if elf else None
            if program is None or elf is None:
                return None
            symbols = Symbols.read(program)
        except MalformedElfError:
            return None
        asks = symbols is None or asks_for_tables(elf.needed, symbols)
        raises = asks and elf.soname != _UNWINDER
        return cls(elf.needed, raises, frozenset(symbols.defined() if symbols else ()))


def _raisers(tree: LazyTree, workspace: Workspace) -> list[str] | None:
    known = workspace.cache.recall("raisers", key_of(code_key(__name__), tree.key))
    if known is None:
        found = [facts for _, file in tree.tree.files() if (facts := _LibraryFacts.read(file.content)) and facts.asks]
        known = {"needed": sorted({name for facts in found for name in facts.needed}) if found else None}
        workspace.cache.remember("raisers", key_of(code_key(__name__), tree.key), known)
    needed: list[str] | None = known["needed"]
    return needed


def _smaller(content: Content, workspace: Workspace, *, packs: bool, tables: bool, own: frozenset[bytes]) -> Content:
    with content.open() as stream:
        data = stream.read()
    result = compact_elf(data, packs=packs, tables=tables, own=own)
    if len(result) == len(data):
        return content
    if len(result) < _LARGE:
        return Inline(result)
    with workspace.cache.new_blob() as (stream, commit):
        stream.write(result)
        path = commit(Digest.of(result))
    return OnDisk(path, len(result))
