"""Take from a tree's ELF files what the loader of their image does without, and close the gaps in them.

What one file may lose depends on the others: on who raises exceptions, and on which of them define the same symbols.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cannery.elf.compact import COMPACT, DROP, MOST, PACK, compact_elf
from cannery.elf.dynamic import elf_of
from cannery.elf.eh_frame import has_tables, who_asks
from cannery.elf.headers import MAGIC, ElfError, ElfReader
from cannery.elf.machines import PROCESSORS, machine_name
from cannery.elf.outcome import Outcome, Refusal
from cannery.elf.relr import has_relative
from cannery.elf.rewrite import LoadedElf
from cannery.elf.symbols import Symbols
from cannery.image.content import OnDisk
from cannery.image.tree import Transform
from cannery.trees.transforms.outcomes import with_outcome
from cannery.workspace.digest import Digest
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.elf.dynamic import Elf
    from cannery.image.content import Content
    from cannery.image.tree import Decision, File, LazyTree, Tree
    from cannery.workspace.workspace import Workspace

__all__ = ["Raisers", "Surroundings", "compact", "raisers_in"]

_LARGE = 8_000_000  # bytes: what is put together doesn't stay in memory
_UNWINDER = "libgcc_s.so.1"
_LONG_FORM = "the image's C library reads only the long form (glibc reads the short one since 2.36)"
_ITSELF = "it walks the stack, and ends the program where it doesn't find its own tables"  # uw_init_context in libgcc
_MACHINES = {machine_name(number) for number in PROCESSORS}


@dataclass(frozen=True, slots=True)
class Raisers:
    """The files of an image that raise exceptions, catch them or walk the stack."""

    first: str  # one of them, and how that shows: "/x/y.so links to libstdc++.so.6"
    needed: tuple[str, ...]  # the names of the libraries that they link to


@dataclass(frozen=True)
class Surroundings:
    """The image around a tree, as far as its files depend on it."""

    packs: bool  # whether the loader reads packed relocations
    raisers: Raisers | None  # among the other trees; None where nobody raises
    program: str | None = None  # what is started, where the tree has it


def compact(around: Surroundings, workspace: Workspace) -> Transform:
    """The transform for a tree that is part of an image."""
    raisers = (around.raisers.first, around.raisers.needed) if around.raisers else None
    key = key_of("compact", code_key(__name__), around.packs, raisers, around.program)
    return Transform(key, lambda tree: _compacted(tree, around, workspace))


def raisers_in(trees: Iterable[LazyTree], workspace: Workspace) -> Raisers | None:
    """The files of ``trees`` that raise exceptions; None where none does."""
    found = [raisers for tree in trees if (raisers := _raisers(tree, workspace)) is not None]
    return Raisers(found[0].first, tuple(sorted({name for each in found for name in each.needed}))) if found else None


def _raisers(tree: LazyTree, workspace: Workspace) -> Raisers | None:
    """The files of one tree that do; remembered under its key."""
    key = key_of(code_key(__name__), tree.key)
    known = workspace.cache.recall("raisers", key)
    if known is None:
        found = {path: facts for path, facts in _facts_of(tree.tree).items() if facts.asks}
        needed = sorted({name for facts in found.values() for name in facts.needed})
        first = next((_raising(path, facts) for path, facts in found.items()), None)
        known = {"first": first, "needed": needed}
        workspace.cache.remember("raisers", key, known)
    return Raisers(known["first"], tuple(known["needed"])) if known["first"] else None


def _compacted(tree: Tree, around: Surroundings, workspace: Workspace) -> Tree:
    facts = _facts_of(tree)
    tables = _tables_kept(facts, around)
    started = _closure(facts, (around.program,) if around.program else ())
    own = _defined_once(facts, started)

    def change(path: str, file: File) -> tuple[File, Iterable[Decision]]:
        if path not in facts:
            return file, ()
        names = own & (facts[path].defined or frozenset()) if path in started else frozenset()
        outcome = _outcome(file.content, facts[path], around, tables.get(path), names)
        if outcome.content is not file.content:
            outcome = replace(outcome, content=_on_disk(outcome.content, workspace))
        return with_outcome(path, file, outcome)

    return tree.map(change)


def _outcome(
    content: Content, facts: _LibraryFacts, around: Surroundings, kept: str | None, own: frozenset[bytes]
) -> Outcome:
    """The outcome for one file; ``kept`` says why it keeps its tables, where it does."""
    if facts.refusal:
        return Outcome(content, (facts.refusal,))
    made = compact_elf(content, relr=around.packs, keep_eh_frame=kept is not None, own=own)
    refusals = list(made.refusals)
    if kept and facts.tables:
        refusals.append(Refusal(DROP, kept))
    if facts.relative and not around.packs:
        refusals.append(Refusal(PACK, _LONG_FORM))
    return Outcome(made.content, tuple(refusals))


def _tables_kept(facts: Mapping[str, _LibraryFacts], around: Surroundings) -> dict[str, str]:
    """The files that keep their tables, each with the reason: those that exceptions may go through.

    Where anybody raises any, that's what is started with all that it links to, and what raisers link to. What isn't
    part of the runtime may know each other otherwise, so there it's all files.
    """
    itself = {path: _ITSELF for path in facts if posixpath.basename(path) == _UNWINDER}
    raisers = [path for path, found in facts.items() if found.asks]
    if raisers:
        why = f"exceptions may go through it: {_raising(raisers[0], facts[raisers[0]])}"
    elif around.raisers:
        why = f"exceptions may go through it: {around.raisers.first}"
    else:
        return itself
    if around.program is None:
        return dict.fromkeys(facts, why) | itself
    needed = around.raisers.needed if around.raisers else ()
    linked = [path for path in facts if posixpath.basename(path) in needed]
    return dict.fromkeys(_closure(facts, (around.program, *raisers, *linked)), why) | itself


def _raising(path: str, facts: _LibraryFacts) -> str:
    return f"{path} {facts.asks}"


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


def _defined_once(facts: Mapping[str, _LibraryFacts], started: set[str]) -> frozenset[bytes]:
    """The names of symbols that one of the files ``started`` together defines, and no other.

    There are none where one of the files is not in the tree, or can't be read: it may define any.
    """
    names = {posixpath.basename(path) for path in facts}
    if any(facts[path].defined is None or not names.issuperset(facts[path].needed) for path in started):
        return frozenset()
    times = Counter(name for path in started for name in facts[path].defined or ())
    return frozenset(name for name, number in times.items() if number == 1)


@dataclass(frozen=True)
class _LibraryFacts:
    """An ELF file, as far as the decision about others depends on it, before any is changed."""

    needed: tuple[str, ...] = ()
    asks: str | None = None  # how it shows that it needs tables for exceptions; None where it needs none
    defined: frozenset[bytes] | None = None  # the names of symbols that others may take for theirs, where known
    tables: bool = field(default=False, kw_only=True)  # whether it has tables for exceptions
    relative: bool = field(default=False, kw_only=True)  # whether it has relocations that might be packed
    refusal: Refusal | None = field(default=None, kw_only=True)  # why it can't be changed, if it can't

    @classmethod
    def read(cls, content: Content) -> _LibraryFacts | None:
        """The facts of an ELF file; None for any other file.

        One that no loader takes raises nothing. Of one that a loader takes and that can't be read here there's no
        telling: so it counts as one that raises.
        """
        with content.open() as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                return None
            try:
                elf = elf_of(ElfReader(stream, content.size))
                if content.size > MOST:
                    return cls._unread(elf, f"it has {content.size:,} bytes, more than {MOST:,}")
                stream.seek(0)
                return cls._of(elf, stream.read())
            except ElfError as error:
                return cls(refusal=Refusal(COMPACT, str(error)))

    @classmethod
    def _of(cls, elf: Elf, data: bytes) -> _LibraryFacts:
        try:
            program = LoadedElf.read(data)
            symbols = Symbols.read(program)
        except ElfError as error:
            return cls._unread(elf, str(error))
        asks = who_asks(elf.needed, symbols)
        return cls(
            elf.needed,
            asks if elf.soname != _UNWINDER else None,  # it asks for itself
            frozenset(symbols.defined()) if symbols else None,
            tables=has_tables(program),
            relative=has_relative(program),
        )

    @classmethod
    def _unread(cls, elf: Elf, why: str) -> _LibraryFacts:
        foreign = elf.machine not in _MACHINES or not elf.is_64  # so it's loaded by another program than the others
        asks = None if foreign else who_asks(elf.needed, None)
        return cls(elf.needed, asks, refusal=Refusal(COMPACT, why))


def _facts_of(tree: Tree) -> dict[str, _LibraryFacts]:
    return {path: facts for path, file in tree.files() if (facts := _LibraryFacts.read(file.content)) is not None}


def _on_disk(content: Content, workspace: Workspace) -> Content:
    """The same content, in a file of the cache where it's large."""
    if content.size < _LARGE:
        return content
    with content.open() as stream:
        data = stream.read()
    with workspace.cache.new_blob() as (target, commit):
        target.write(data)
        path = commit(Digest.of(data))
    return OnDisk(path, len(data))
