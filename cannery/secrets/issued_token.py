"""A kind of token that a service issues: what it begins with, its whole form, and its checksum where it has one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from cannery.secrets.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["IssuedToken"]

_BEFORE: Final = rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?=[/?&]))"  # or as sources write a line's end, or in a URL
_AFTER: Final = rb"(?![A-Za-z0-9])"


@dataclass(frozen=True)
class IssuedToken:
    """A kind of token."""

    id: str
    title: str
    anchors: bytes  # each has one of these words, and hardly anything else has: looked for before the pattern
    pattern: bytes
    has_form: Callable[[bytes], bool] = lambda _: True  # as far as a pattern can't tell
    checksum: Callable[[bytes], bool] | None = None  # tells tokens that were issued from those that somebody made up
    text_only: bool = False  # too short a form for noise: compressed data, machine code

    @cached_property
    def kind(self) -> Kind:
        """The kind of secret that it is."""
        return Kind(self.id, self.title)

    @cached_property
    def alone(self) -> re.Pattern[bytes]:
        """Its pattern, where nothing joins it before or behind."""
        return re.compile(_BEFORE + b"(?:" + self.pattern + b")" + _AFTER)

    @cached_property
    def anywhere(self) -> re.Pattern[bytes]:
        """Its pattern, whatever joins it: in programs texts may lie one behind the other."""
        return re.compile(self.pattern)
