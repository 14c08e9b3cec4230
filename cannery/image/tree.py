"""Trees: the paths of an image, and what lies there. Values that never change, and know of no archive.

Making a tree reads and writes nothing: contents are references until something opens them.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from cannery.errors import ImageError
from cannery.workspace.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cannery.image.content import Content

__all__ = ["Decision", "Directory", "Entry", "File", "LazyTree", "Symlink", "Transform", "Tree"]


@dataclass(frozen=True, slots=True)
class File:
    """A regular file."""

    content: Content
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory; those that a tree doesn't name are made with these defaults."""

    mode: int = 0o755
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link; ``target`` is kept as it is written."""

    target: str


Entry = File | Directory | Symlink


@dataclass(frozen=True, slots=True)
class Decision:
    """A file was left as it was, though something was tried with it."""

    path: str  # of the file in the image
    tried: str  # in a word or two: "strip", "pack relocations"
    why: str  # it stayed, with the evidence
    size: int  # bytes of the file, and of those that stayed with it


@dataclass(frozen=True)
class Tree:
    """Absolute, normalised paths of an image, each with its entry.

    ``tree + other`` merges, the right one's entry winning; ``tree | transform`` hands the tree to a function. The
    ``decisions`` tell which files are not what a transform should have made of them.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()

    def __post_init__(self) -> None:
        for path in self.entries:
            if path[:2] in {"/", "//"} or path[:1] != "/" or posixpath.normpath(path) != path:
                raise ImageError(f"not a path of an image: {path!r}")
        object.__setattr__(self, "entries", MappingProxyType(dict(self.entries)))

    def __add__(self, other: Tree) -> Tree:
        kept = tuple(each for each in self.decisions if each.path not in other.entries)
        return Tree({**self.entries, **other.entries}, kept + other.decisions)

    def __or__(self, transform: Callable[[Tree], Tree]) -> Tree:
        return transform(self)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, path: str) -> bool:
        return path in self.entries

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        """Paths with their entries, in the order of the paths' bytes."""
        return iter(sorted(self.entries.items(), key=lambda item: item[0].encode("utf-8", "surrogateescape")))

    def files(self) -> Iterator[tuple[str, File]]:
        """The regular files, in order."""
        return ((path, entry) for path, entry in self if isinstance(entry, File))

    def filter(self, keep: Callable[[str, Entry], bool]) -> Tree:
        """The entries that ``keep`` is true of, with the decisions on them."""
        kept = {path: entry for path, entry in self.entries.items() if keep(path, entry)}
        return Tree(kept, tuple(each for each in self.decisions if each.path in kept))

    def map(self, change: Callable[[str, File], tuple[File, Iterable[Decision]]]) -> Tree:
        """The same tree with each regular file changed: ``change`` gives the new one, and decisions where it stayed."""
        changed = {path: change(path, file) for path, file in self.files()}
        entries = {**self.entries, **{path: file for path, (file, _) in changed.items()}}
        return Tree(entries, (*self.decisions, *(each for _, decisions in changed.values() for each in decisions)))

    def with_parents(self) -> Tree:
        """The tree with every parent directory named.

        Raises :class:`ImageError` where a parent is a file or a link: packing it would replace what others
        put behind that link.
        """
        parents: dict[str, Entry] = {}
        for path in self.entries:
            above = posixpath.dirname(path)
            while above != "/" and above not in parents:
                present = self.entries.get(above, Directory())
                if not isinstance(present, Directory):
                    kind = type(present).__name__.lower()
                    raise ImageError(f"{path} lies below {above}, which is a {kind}")
                parents[above] = present
                above = posixpath.dirname(above)
        return Tree({**parents, **self.entries}, self.decisions)


@dataclass(frozen=True)
class Transform:
    """A named function from tree to tree; the same key promises the same result for the same tree."""

    key: str
    apply: Callable[[Tree], Tree]

    def __call__(self, tree: Tree) -> Tree:
        """The tree that becomes of ``tree``; earlier decisions come along, whatever the function returns."""
        made = self.apply(tree)
        return Tree(made.entries, tuple(dict.fromkeys((*tree.decisions, *made.decisions))))


@dataclass(frozen=True)
class LazyTree:
    """A tree known by what it is made from, and made only when somebody asks for it.

    The key is what caches go by: two lazy trees of one key make the same tree.
    """

    key: str
    make: Callable[[], Tree]

    @cached_property
    def tree(self) -> Tree:
        """The tree itself."""
        return self.make()

    def __or__(self, transform: Transform) -> LazyTree:
        return LazyTree(key_of("transformed", self.key, transform.key), lambda: transform(self.tree))

    def __add__(self, other: LazyTree) -> LazyTree:
        return LazyTree(key_of("merge", self.key, other.key), lambda: self.tree + other.tree)
