"""The notes on one source, while it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cannery.imports.model import Mentions

if TYPE_CHECKING:
    from cannery.imports.model import Import

__all__ = ["Gathered"]

_LONGEST = 120  # letters of a module's name that is believed to be one
_DOTTED = re.compile(r"\.{0,2}[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?::[A-Za-z_][\w.]*)?|[A-Za-z_]\w*:[A-Za-z_][\w.]*")
_ASKED = re.compile(r"[A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)*")
_WORD = re.compile(r"\.?[A-Za-z_][\w-]*")


@dataclass
class Gathered:
    """Mutable :class:`Mentions`, with strings that are sorted only at the end."""

    imports: list[Import] = field(default_factory=list)
    strings: set[str] = field(default_factory=set)
    below: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    codecs: set[str] = field(default_factory=set)
    exports: tuple[str, ...] = ()
    attributes: set[str] = field(default_factory=set)
    dynamic: list[int] = field(default_factory=list)
    loads: bool = False  # the source loads modules by names, which may stand anywhere in it
    opens: bool = False
    discovers: bool = False  # the source lists the modules of its own package
    refuses: bool = False
    stub: bool = False

    def mentions(self) -> Mentions:
        """The notes as a value; words and parts of names count only where the source loads modules by name."""
        short = {text for text in self.strings if len(text) <= _LONGEST}
        asked = {text.replace(":", ".") for text in short if _ASKED.fullmatch(text)}
        return Mentions(
            imports=tuple(dict.fromkeys(self.imports)),
            dotted=frozenset(text for text in short if _DOTTED.fullmatch(text)),
            words=frozenset(text for text in short if _WORD.fullmatch(text)) if self.loads else frozenset(),
            below=frozenset((self.below if self.loads else set()) | ({"."} if self.discovers else set())),
            after=frozenset(self.after if self.loads else ()),
            opens=self.loads and self.opens,
            codecs=frozenset(self.codecs),
            exports=self.exports,
            attributes=frozenset(self.attributes | asked),
            dynamic=tuple(sorted(set(self.dynamic))),
            refuses=self.refuses,
            stub=self.stub,
        )
