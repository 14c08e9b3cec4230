"""Reading a root filesystem: the machine's own, or an unpacked image."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.image.content import OnDisk
from cannery.image.paths import follow, links_in

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MACHINE", "Root"]


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that is taken for ``/``: links are followed within it, never out of it."""

    path: Path = Path("/")

    def resolve(self, name: str) -> str | None:
        """The absolute path below the root that ``name`` leads to, links followed; None when it leads nowhere."""
        return follow(name, links_in(str(self.path)))

    def landing(self, name: str) -> str | None:
        """The same for ``name`` of what is to be put there, which may not be there yet; None for a loop of links."""
        return follow(name, links_in(str(self.path)), "land")

    def on_disk(self, name: str) -> Path:
        """Where the absolute path ``name`` lies on the machine."""
        return self.path / name.lstrip("/")

    def content(self, name: str) -> OnDisk | None:
        """The content of the regular file that ``name`` leads to, or None when there is none."""
        real = self.resolve(name)
        if real is None:
            return None
        path = self.on_disk(real)
        return OnDisk(path, path.stat().st_size) if path.is_file() else None

    def below(self, name: str) -> Iterator[str]:
        """The files and links below the folder ``name``, as absolute paths."""
        real = self.resolve(name)
        if real is None:
            return
        for folder, _, names in os.walk(self.on_disk(real)):
            for each in names:
                yield f"/{Path(folder, each).relative_to(self.path)}"


MACHINE = Root()
