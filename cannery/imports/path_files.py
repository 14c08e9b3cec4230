"""``.pth`` files: lines that begin with "import" are run when Python starts, others are folders to look into.

docs.python.org, the module ``site``.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.image.tree import Tree
    from cannery.imports.model import Host
    from cannery.imports.places import Place

__all__ = ["folders_added", "imports_at_start"]

_CODE = ("import ", "import\t")


def imports_at_start(places: Iterable[Place], host: Host) -> Iterator[str]:
    """The modules that ``.pth`` files of the dependencies import, where the program's Python reads such files."""
    if "site" not in host.started:
        return
    from cannery.imports.source import read_source  # noqa: PLC0415  # slow to import, where nothing has changed

    for place in places:
        if place.kind == "dependencies":
            for _, line in _lines(place.tree.tree, place.roots):
                if line.startswith(_CODE):
                    for each in read_source(line.encode(), host).imports:
                        yield each.module
                        yield from (f"{each.module}.{name}" for name in each.names)


def folders_added(tree: Tree, roots: Iterable[str]) -> tuple[str, ...]:
    """The folders of ``tree`` that ``.pth`` files in ``roots`` have Python look into, too."""
    named = (
        posixpath.normpath(posixpath.join(root, line.strip()))
        for root, line in _lines(tree, roots)
        if line.strip() and not line.startswith(("#", *_CODE))
    )
    return tuple(folder for folder in dict.fromkeys(named) if folder not in roots and _is_folder(folder, tree))


def _lines(tree: Tree, roots: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The folder of each ``.pth`` file that Python reads, with each of its lines."""
    for path, file in tree.files():
        if path.endswith(".pth") and posixpath.dirname(path) in roots:
            with file.content.open() as stream:
                text = stream.read().decode("utf-8", "replace")
            yield from ((posixpath.dirname(path), line) for line in text.splitlines())


def _is_folder(path: str, tree: Tree) -> bool:
    return any(each.startswith(f"{path}/") for each in tree.entries)
