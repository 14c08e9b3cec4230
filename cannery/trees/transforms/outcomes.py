"""The outcome of a rewrite of an ELF file, for the tree that the file lies in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cannery.image.content import OnDisk
from cannery.image.tree import Decision, File
from cannery.workspace.digest import Digest
from cannery.workspace.files import changed

if TYPE_CHECKING:
    from cannery.elf.outcome import Outcome

__all__ = ["with_outcome"]


def with_outcome(path: str, file: File, outcome: Outcome) -> tuple[File, tuple[Decision, ...]]:
    """The ``file`` with its new content, and a decision for each thing that was tried with it and left undone.

    Raises :class:`ChangedFileError` where what was rewritten is not what the digest of the file says.
    """
    old = file.content
    known = old.digest if isinstance(old, OnDisk) and outcome.content is not old else None
    if isinstance(old, OnDisk) and known is not None and known != Digest.of_content(old):
        raise changed(path, old.path)
    decisions = (Decision(path, each.tried, each.why, file.content.size) for each in outcome.refusals)
    return replace(file, content=outcome.content), tuple(decisions)
