"""The report of a lock: what stands in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.tasks.report.text import shown_path, styled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.project.build_lock import BuildLock

__all__ = ["LockReport"]


@dataclass(frozen=True, slots=True)
class LockReport:
    """A lock that was written."""

    lock: BuildLock
    path: Path
    recipe: str

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types: the path, and what stands there."""
        return {"path": str(self.path), **msgspec.to_builtins(self.lock), "notes": list(self._notes())}

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        yield styled(shown_path(self.path), "bold")
        for runtime in self.lock.runtime:
            version = next((each.version for each in runtime.packages if each.name == runtime.python), "")
            count = len(runtime.packages)
            yield f"runtime  {runtime.runtime}, {runtime.platform}  {runtime.python} {version} and {count - 1} packages"
        yield from (f"base     {base.name}  {base.digest}" for base in self.lock.base)
        yield f"tools    {', '.join(f'{name} {version}' for name, version in self.lock.tools.items())}"
        yield from (f"{styled('note', 'yellow')}     {note}" for note in self._notes())

    def _notes(self) -> Iterator[str]:
        if self.recipe in {"scratch", "tiny"} and not (self.lock.runtime or self.lock.base):
            yield (
                "the Python is this machine's own, which no lock can pin: another machine makes the same image with  "
                '[tool.cannery]  runtime = "debian:trixie"'
            )
        if self.recipe == "onefile":
            yield "the recipe onefile packs this machine's own Python, which no lock can pin"
