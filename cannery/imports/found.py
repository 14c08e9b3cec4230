"""The notes on one source, while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cannery.imports import strings
from cannery.imports.model import Mentions

if TYPE_CHECKING:
    from cannery.imports.model import Import, Where

__all__ = ["Gathered"]

_PATHS = {"sys.path", "site.addsitedir"}  # what changes where modules are looked for


@dataclass
class Gathered:
    """Mutable :class:`Mentions`, with strings that are sorted only at the end."""

    place: Where = "dependencies"
    groups: frozenset[str] = frozenset()  # of entry points: all that there are
    imports: list[Import] = field(default_factory=list)
    strings: set[str] = field(default_factory=set)
    below: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    codecs: set[str] = field(default_factory=set)
    exports: tuple[str, ...] = ()
    attributes: set[str] = field(default_factory=set)
    dynamic: list[int] = field(default_factory=list)
    joins: set[str] = field(default_factory=set)
    handed: set[str] = field(default_factory=set)
    function: str = ""  # the innermost one that is read now
    guards: int = 0  # statements around what is read now that go on where an import fails
    loads: bool = False  # the source loads modules by names, which may stand anywhere in it
    opens: bool = False
    discovers: bool = False  # the source lists the modules of its own package
    listed: set[str] = field(default_factory=set)  # other packages whose modules it lists
    refuses: bool = False
    stub: bool = False
    beside: bool = False
    aliases: set[tuple[str, str]] = field(default_factory=set)

    def mentions(self) -> Mentions:
        """The notes as a value; parts of names count only where the source loads modules by name.

        Whole words count there, and in the app itself, which may hand them to whoever loads modules.
        """
        short = strings.short(self.strings)
        own = self.place == "app"
        return Mentions(
            imports=tuple(dict.fromkeys(self.imports)),
            dotted=strings.dotted(short),
            words=strings.words(short) if self.loads or own else frozenset(),
            below=frozenset((self.below | strings.gaps(short) if self.loads else set()) | self._listed_modules()),
            after=frozenset(self.after if self.loads else ()),
            opens=self.loads and self.opens,
            codecs=frozenset(self.codecs) | (frozenset() if self.place == "stdlib" else strings.codecs(short)),
            exports=self.exports,
            attributes=frozenset(self.attributes) | strings.attributes(short),
            dynamic=tuple(sorted(set(self.dynamic))),
            refuses=self.refuses,
            stub=self.stub,
            groups=self.groups & short,
            folders=strings.folders(short) if self.attributes & _PATHS else frozenset(),
            joins=frozenset(self.joins),
            handed=frozenset(self.handed),
            reads=frozenset() if self.place == "stdlib" else strings.files(short),
            beside=self.beside,
            aliases=tuple(sorted(self.aliases)),
        )

    def _listed_modules(self) -> set[str]:
        return {f"{package}." for package in self.listed} | ({"."} if self.discovers else set())
