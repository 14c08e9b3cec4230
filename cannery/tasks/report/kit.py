"""The report of a kit: where it lies, what it is for, and what to do next."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.executable.kit.sources import known_libraries, known_pythons, untried_pythons
from cannery.tasks.report.text import Column, human_size, ruled, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.executable.kit.kit import Kit
    from cannery.executable.kit.sources import SourcePackage
    from cannery.workspace.digest import Digest

__all__ = ["KitReport", "VersionsReport"]


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


@dataclass(frozen=True, slots=True)
class VersionsReport:
    """What kits are built from."""

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        return {
            "pythons": {minor: _source_as_json(source) for minor, source in known_pythons().items()},
            "libraries": {name: _source_as_json(source) for name, source in known_libraries().items()},
            "untried": dict(untried_pythons()),
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        sources = [*known_pythons().values(), *known_libraries().values()]
        rows = [(each.name, each.full_version, str(each.changed)) for each in sources]
        yield from ruled((Column("source"), Column("version"), Column("newest fix")), rows)
        yield from (f"Python {minor}: no kit, as {reason}" for minor, reason in untried_pythons().items())


def _source_as_json(source: SourcePackage) -> dict[str, Any]:
    return {
        "version": source.version,
        "patches": source.patches.version if source.patches else None,
        "changed": str(source.changed),
        "archives": [{"address": each.address, "sha256": each.sha256} for each in source.archives],
    }
