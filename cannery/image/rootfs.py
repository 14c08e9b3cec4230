"""A root filesystem that is read: the machine's own, or an unpacked image's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.image.content import OnDisk
from cannery.image.paths import follow, links_in
from cannery.workspace.files import stamp_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

__all__ = ["MACHINE", "Root"]


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that is taken for ``/``: links are followed within it, never out of it."""

    path: Path = Path("/")

    def resolve(self, name: str) -> str | None:
        """The absolute path in the root that ``name`` leads to, links followed; None where nothing is there."""
        return follow(name, links_in(str(self.path)))

    def landing(self, name: str) -> str | None:
        """The same for something that is to be put there: nothing need be there yet. None for a loop of links."""
        return follow(name, links_in(str(self.path)), "land")

    def on_disk(self, name: str) -> Path:
        """The path on the machine of the absolute path ``name``."""
        return self.path / name.lstrip("/")

    def content(self, name: str) -> OnDisk | None:
        """The content of the regular file that ``name`` leads to, or None when there is none."""
        real = self.resolve(name)
        if real is None:
            return None
        path = self.on_disk(real)
        return OnDisk(path, path.stat().st_size) if path.is_file() else None

    def files_below(self, name: str, left_out: Container[str] = ()) -> Iterator[tuple[str, OnDisk]]:
        """The regular files below the folder ``name``, and links that lead to one: each with its path below ``name``.

        Entries of the folder itself whose names are in ``left_out`` are skipped. Links to folders are not followed.
        """
        for relative, path, entry in self._below(name, left_out):
            if entry.is_file(follow_symlinks=False):  # with no link on its path: quicker than to look for one
                yield relative, OnDisk(Path(entry.path), entry.stat(follow_symlinks=False).st_size)
            elif (content := self.content(path)) is not None:
                yield relative, content

    def stamps_below(self, name: str, left_out: Container[str] = ()) -> list[tuple[str, list[int] | None]]:
        """The paths of :meth:`files_below` with stamps, which are others once a file has changed."""
        return sorted((relative, _stamp(entry)) for relative, _, entry in self._below(name, left_out))

    def _below(self, name: str, left_out: Container[str]) -> Iterator[tuple[str, str, os.DirEntry[str]]]:
        """The files and links below the folder ``name``, each with its path from there, that in the root, its entry."""
        top = self.resolve(name)
        pending = [] if top is None else [("", top)]
        while pending:
            below, folder = pending.pop()
            for entry in _entries(self.on_disk(folder)):
                if not below and entry.name in left_out:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append((f"{below}{entry.name}/", f"{folder}/{entry.name}"))
                else:
                    yield f"{below}{entry.name}", f"{folder}/{entry.name}", entry


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of ``folder``; none where it can't be read, or is no folder."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _stamp(entry: os.DirEntry[str]) -> list[int] | None:
    """The stamp of a file, or of that which a link leads to on this machine; None where that is nothing."""
    try:
        return stamp_of(entry.stat())
    except OSError:
        return None


MACHINE = Root()
