"""Reading a root filesystem: the machine's own, or an unpacked image."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.image.content import OnDisk

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MACHINE", "Root"]

_MOST_LINKS = 40  # as Linux follows (path_resolution(7))


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that is taken for ``/``: links are followed within it, never out of it."""

    path: Path = Path("/")

    def resolve(self, name: str) -> str | None:
        """The absolute path below the root that ``name`` leads to, links followed; None when it leads nowhere."""
        done = "/"
        pending = [part for part in reversed(name.split("/")) if part]
        links = 0
        while pending:
            part = pending.pop()
            if part in {".", ".."}:
                done = posixpath.dirname(done) if part == ".." else done
                continue
            here = posixpath.join(done, part)
            on_disk = self.on_disk(here)
            if on_disk.is_symlink():
                links += 1
                if links > _MOST_LINKS:
                    return None
                target = os.readlink(on_disk)
                done = "/" if target.startswith("/") else done
                pending += [each for each in reversed(target.split("/")) if each]
            elif on_disk.exists():
                done = here
            else:
                return None
        return done

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
