"""``.pth`` files, of which Python runs the lines that begin with "import" when it starts (the module ``site``)."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from cannery.imports.source import read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.imports.model import Host
    from cannery.imports.places import Place

__all__ = ["imports_at_start"]


def imports_at_start(places: Iterable[Place], host: Host) -> Iterator[str]:
    """The modules that ``.pth`` files of the dependencies import, where the program's Python reads such files."""
    if "site" not in host.started:
        return
    for place in places:
        if place.kind == "dependencies":
            for path, file in place.tree.tree.files():
                if path.endswith(".pth") and posixpath.dirname(path) in place.roots:
                    with file.content.open() as stream:
                        yield from _imported(stream.read(), host)


def _imported(text: bytes, host: Host) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith((b"import ", b"import\t")):
            for each in read_source(line, host).imports:
                yield each.module
                yield from (f"{each.module}.{name}" for name in each.names)
