"""The outcome of a rewrite: the new content, and the changes that were not made, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.elf.headers import MAGIC, ElfError, ElfReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from cannery.image.content import Content

__all__ = ["Outcome", "Refusal", "rewritten"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was tried with a file and left undone."""

    tried: str  # in a word or two: "strip", "pack relocations"
    why: str  # it was left undone, with the evidence, as the end of a sentence about the file


@dataclass(frozen=True, slots=True)
class Outcome:
    """A file after a rewrite: the same ``content`` object as before where nothing was changed."""

    content: Content
    refusals: tuple[Refusal, ...] = ()  # empty also where there was nothing to gain


def rewritten(tried: str, content: Content, rewrite: Callable[[Content, ElfReader], Content]) -> Outcome:
    """The outcome of ``rewrite`` on an ELF file; any other file comes back as it is, and four bytes of it are read.

    An :class:`ElfError` that ``rewrite`` raises becomes the refusal of what was ``tried``.
    """
    with content.open() as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            return Outcome(content)
        try:
            return Outcome(rewrite(content, ElfReader(stream, content.size)))
        except ElfError as error:
            return Outcome(content, (Refusal(tried, str(error)),))
