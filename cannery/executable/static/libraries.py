"""Shared libraries in an executable: which can be loaded there, what they need, what they ask of the program."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from cannery.elf.closure import MUSL_ITSELF
from cannery.elf.exchange import ExchangedSymbols, exchanged_symbols
from cannery.elf.headers import ElfError
from cannery.elf.strip import strip_elf
from cannery.image.content import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.executable.kit.symbols import KitSymbols
    from cannery.image.content import Content
    from cannery.workspace.digest import Digest

__all__ = ["LinkedLibraries", "SharedLibraries"]

_OF_GLIBC: Final = re.compile(r"lib(?:c|pthread|rt|m|dl|util)\.so\.\d|ld-linux.*")
_OF_PYTHON: Final = re.compile(r"libpython3[\d.]*\.so.*")
_NAMED: Final = 3  # symbols in a message


@dataclass(frozen=True)
class LinkedLibraries:
    """The shared libraries of one executable, and the names that it must have for them."""

    files: Mapping[str, Content]  # by the path that each would have on a disk; equal ones are one and the same
    program: frozenset[str] = frozenset()  # names that the program itself is asked for
    provided: Mapping[str, frozenset[str]] = field(default_factory=dict)  # those of the kit's libraries, by soname

    @property
    def linker(self) -> bool:
        """True where there's anything for a dynamic linker to do."""
        return bool(self.files or self.program)

    @property
    def contents(self) -> tuple[Content, ...]:
        """What lies in the executable: each once, whoever brings it."""
        return tuple(dict.fromkeys(self.files.values()))


@dataclass(frozen=True)
class SharedLibraries:
    """The shared libraries that there are, by their paths in an image, and what a kit has for them."""

    files: Mapping[str, Content]
    kit: KitSymbols
    machine: str  # EM_X86_64, as the kit's
    _read: dict[str, ExchangedSymbols | str] = field(default_factory=dict)  # or what is wrong with a file

    def problem(self, path: str) -> str | None:
        """The reason why the library at ``path`` can't be loaded, as the end of a sentence about it; None if it can."""
        for each in self._closure(path):
            if found := self._problem_of(each, path):
                return found if each == path else f"it needs {each}, and {found}"
        return None

    def linked(self, paths: Iterable[str], called: Iterable[str] = ()) -> LinkedLibraries:
        """The libraries at ``paths``, none of which has a problem, with all that they need.

        Names that are ``called`` come in where the program can have them.
        """
        program = self.kit.program.intersection(called) if called else frozenset[str]()
        asked: set[str] = set()
        provided: dict[str, set[str]] = {}
        files: dict[str, Content] = {}
        alike: dict[Digest, Content] = {}  # as wheels often bring the same: libgcc_s, libstdc++
        for root in sorted(set(paths)):
            for path in self._closure(root):
                content = strip_elf(self.files[path]).content
                files[path] = alike.setdefault(digest_of(content), content)
                for soname, name in self._asked(path, root):
                    (provided.setdefault(soname, set()) if soname else asked).add(name)
            for soname in self._of_kit(root):
                provided.setdefault(soname, set())
        return LinkedLibraries(
            dict(sorted(files.items())),
            program | asked,
            {soname: frozenset(names) for soname, names in sorted(provided.items())},
        )

    def _problem_of(self, path: str, root: str) -> str | None:
        symbols = self._symbols(path)
        if isinstance(symbols, str):
            return symbols
        if symbols.elf.machine != self.machine:
            return f"it is for another machine: {symbols.elf.machine}"
        needed = [name for name in symbols.elf.needed if self._found(name, path, root) is None]
        if any(map(_OF_GLIBC.fullmatch, needed)):
            return "it is for the C library glibc, and there's no wheel of this version for musl (musllinux_1_2)"
        if absent := [name for name in needed if not self._is_there(name)]:
            return f"it needs {', '.join(absent)}, which neither the wheels nor the kit have"
        nowhere = sorted(name for soname, name in self._asked(path, root) if soname is None)
        if nowhere:
            more = f" and {len(nowhere) - _NAMED} more" if len(nowhere) > _NAMED else ""
            return f"it asks for {', '.join(nowhere[:_NAMED])}{more}, which nothing here has"
        return None

    def _symbols(self, path: str) -> ExchangedSymbols | str:
        if path not in self._read:
            try:
                self._read[path] = exchanged_symbols(self.files[path])
            except ElfError as error:
                self._read[path] = f"it can't be read as a shared library: {error}"
        return self._read[path]

    def _closure(self, root: str) -> list[str]:
        """The library at ``root`` and those that it needs, in the order in which they are searched for symbols."""
        found = [root]
        for path in found:
            symbols = self._symbols(path)
            needed = () if isinstance(symbols, str) else symbols.elf.needed
            others = [self._found(name, path, root) for name in needed]
            found += [each for each in dict.fromkeys(others) if each is not None and each not in found]
        return found

    def _found(self, name: str, path: str, root: str) -> str | None:
        """The path of what ``path`` needs by ``name``: by its own search path, by that of ``root``, or by its name."""
        for by in dict.fromkeys((path, root)):
            symbols = self._symbols(by)
            search = () if isinstance(symbols, str) else (symbols.elf.runpath or symbols.elf.rpath)
            for folder in search:
                origin = re.sub(r"\$(ORIGIN|\{ORIGIN\})", posixpath.dirname(by), folder)
                if (place := posixpath.normpath(f"{origin}/{name}")) in self.files:
                    return place
        return None if self._is_there(name) else self._by_name.get(name)

    @cached_property
    def _by_name(self) -> Mapping[str, str]:
        return {posixpath.basename(path): path for path in sorted(self.files, reverse=True)}

    def _is_there(self, name: str) -> bool:
        """True for a library that the program itself stands for, or that the kit has."""
        itself = MUSL_ITSELF.match(name) and not _OF_GLIBC.fullmatch(name)
        return bool(itself or _OF_PYTHON.fullmatch(name)) or name in self.kit.libraries

    def _of_kit(self, root: str) -> Iterator[str]:
        """The names of what the program stands for, besides the C library."""
        for path in self._closure(root):
            symbols = self._symbols(path)
            for name in () if isinstance(symbols, str) else symbols.elf.needed:
                if not MUSL_ITSELF.match(name) and self._found(name, path, root) is None:
                    yield name

    def _asked(self, path: str, root: str) -> Iterator[tuple[str | None, str]]:
        """What ``path`` asks for and no library beside it has: whom it asks, and the name.

        That is the program (an empty text), a library of the kit by its name, or None where nobody has it.
        """
        symbols = self._symbols(path)
        if isinstance(symbols, str):
            return
        beside = [each for each in map(self._symbols, self._closure(path)) if not isinstance(each, str)]
        own = frozenset().union(*(each.defined for each in beside))
        sonames = [name for name in self._of_kit(path) if name in self.kit.libraries]
        for name, weak in symbols.asked.items():
            if name in own:
                continue
            soname = next((each for each in sonames if name in self.kit.libraries[each]), None)
            if soname is not None or name in self.kit.program:
                yield soname or "", name
            elif not weak and not self._in_scope(name, root):
                yield None, name

    def _in_scope(self, name: str, root: str) -> bool:
        """True for a name that something has which is loaded together with what asks for it."""
        loaded = map(self._symbols, self._closure(root))
        return any(name in each.defined for each in loaded if not isinstance(each, str))
