"""The report of a kit: where it lies, what it is for, and what to do next."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.tasks.report.text import human_size, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.executable.kit.kit import Kit
    from cannery.workspace.digest import Digest

__all__ = ["KitReport"]


@dataclass(frozen=True, slots=True)
class KitReport:
    """A kit that was written to a file."""

    kit: Kit
    path: Path
    digest: Digest
    build: str  # the command that builds an image with it

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; the size is in bytes."""
        return {"path": str(self.path), "digest": str(self.digest), "size": self.path.stat().st_size}

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        version, platform, path = self.kit.interpreter.version_text, self.kit.target.platform, shown_path(self.path)
        yield f"{path}  Python {version} for {platform}, {human_size(self.path.stat().st_size)}"
        yield str(self.digest)
        yield f"\nNext: CANNERY_KIT={shlex.quote(f'{path}#sha256={self.digest.hex}')} {self.build}"
