"""Tree, Layer, Image and what they are made of: values that never change.

A :class:`Tree` says what lies where and knows no archive. A :class:`Layer` is a tree packed into one, an
:class:`Image` is layers and a configuration. Making one never writes: contents are references until something
opens them.
"""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from cannery.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = [
    "Base",
    "Built",
    "Content",
    "Digest",
    "Directory",
    "Entry",
    "File",
    "Image",
    "Inline",
    "Layer",
    "LazyTree",
    "OnDisk",
    "Plan",
    "Platform",
    "Symlink",
    "Transform",
    "Tree",
    "canonical_json",
    "key_of",
]


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 as the specifications write it (OCI image-spec v1.1, descriptor.md)."""

    hex: str

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """The digest of ``data``."""
        return cls(hashlib.sha256(data).hexdigest())

    @classmethod
    def of_content(cls, content: Content) -> Digest:
        """The digest of what ``content`` refers to, read piece by piece."""
        sha256 = hashlib.sha256()
        with content.open() as stream:
            while data := stream.read(1 << 20):
                sha256.update(data)
        return cls(sha256.hexdigest())

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``sha256:…``."""
        algorithm, _, digits = text.partition(":")
        if algorithm != "sha256" or len(digits) != 64 or set(digits) - set("0123456789abcdef"):  # noqa: PLR2004
            raise ImageError(f"not a SHA-256 digest: {text!r}")
        return cls(digits)

    def __str__(self) -> str:
        return f"sha256:{self.hex}"


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and an architecture by Go's names (OCI image-spec v1.1, config.md)."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``linux/arm64`` or ``linux/arm/v7``."""
        parts = text.split("/")
        if len(parts) not in {2, 3} or not all(parts):
            raise ImageError(f"not a platform: {text!r}", step="write it as in  linux/amd64  or  linux/arm64/v8")
        return cls(*parts)

    def agrees(self, other: Platform) -> bool:
        """Whether both may be one machine: a variant that isn't told is any."""
        same = (self.os, self.architecture) == (other.os, other.architecture)
        return same and (self.variant == other.variant or not (self.variant and other.variant))

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


class Content(Protocol):
    """The bytes of a file, by reference."""

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    def open(self) -> BinaryIO:
        """Open the bytes for reading, from the first."""
        ...


@dataclass(frozen=True, slots=True)
class Inline:
    """Content that is made here and small."""

    data: bytes

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    def open(self) -> BinaryIO:
        """Open the bytes for reading."""
        return io.BytesIO(self.data)


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Content that lies in a file and is read only when it's packed."""

    path: Path
    size: int
    digest: Digest | None = None  # where it is known: what is read later must be the same

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return self.path.open("rb")


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


@dataclass(frozen=True)
class Tree:
    """What lies where in an image: absolute, normalised paths to entries.

    ``tree + other`` merges, the right one's entry winning; ``tree | transform`` hands the tree to a function.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.entries:
            if path[:2] in {"/", "//"} or path[:1] != "/" or posixpath.normpath(path) != path:
                raise ImageError(f"not a path of an image: {path!r}")
        object.__setattr__(self, "entries", MappingProxyType(dict(self.entries)))

    def __add__(self, other: Tree) -> Tree:
        return Tree({**self.entries, **other.entries})

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
        """The entries that ``keep`` says yes to."""
        return Tree({path: entry for path, entry in self.entries.items() if keep(path, entry)})

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
        return Tree({**parents, **self.entries})


def key_of(*parts: object) -> str:
    """A name for what was made from ``parts``: equal for equal parts, in this run and in the next."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Transform:
    """A named function from tree to tree; the same key promises the same result for the same tree."""

    key: str
    apply: Callable[[Tree], Tree]

    def __call__(self, tree: Tree) -> Tree:
        """What becomes of ``tree``."""
        return self.apply(tree)


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
        return LazyTree(key_of(self.key, transform.key), lambda: transform(self.tree))

    def __add__(self, other: LazyTree) -> LazyTree:
        return LazyTree(key_of("merge", self.key, other.key), lambda: self.tree + other.tree)


@dataclass(frozen=True, slots=True)
class Layer:
    """A tree packed into an archive that is the same for the same tree."""

    name: str  # what it holds: runtime, dependencies, app
    digest: Digest  # of the compressed blob
    diff_id: Digest  # of the archive inside it (OCI image-spec v1.1, config.md)
    size: int  # bytes, compressed
    unpacked_size: int  # bytes of the files in it
    files: int  # how many regular files
    media_type: str
    blob: Path


@dataclass(frozen=True)
class Image:
    """Layers and a configuration; its digest follows from them."""

    layers: tuple[Layer, ...]
    config: Mapping[str, Any]  # OCI image-spec v1.1, config.md
    manifest: Mapping[str, Any]  # OCI image-spec v1.1, manifest.md
    platform: Platform

    @cached_property
    def config_blob(self) -> bytes:
        """The configuration as it is stored."""
        return canonical_json(self.config)

    @cached_property
    def manifest_blob(self) -> bytes:
        """The manifest as it is stored."""
        return canonical_json(self.manifest)

    @property
    def id(self) -> Digest:
        """What engines call the image ID: the digest of its configuration."""
        return Digest.of(self.config_blob)

    @property
    def digest(self) -> Digest:
        """What registries call the image's digest: that of its manifest."""
        return Digest.of(self.manifest_blob)


@dataclass(frozen=True)
class Base:
    """An image that ours is built upon: its layers as they are, and its configuration."""

    name: str  # as the user wrote it
    digest: Digest  # of what that name leads to: a manifest, or an index of several
    manifest: Digest  # of the manifest for the platform
    layers: tuple[Layer, ...]
    config: Mapping[str, Any]  # OCI image-spec v1.1, config.md
    platform: Platform
    reference: str | None = None  # in a registry, written out; None where it comes from this machine


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recipe asks for: which trees become layers, in which order, with which configuration."""

    layers: tuple[tuple[str, LazyTree], ...]  # name and tree, from what changes rarely to what changes often
    config: Mapping[str, Any]  # the "config" part of an image's configuration
    platform: Platform
    notes: tuple[str, ...] = ()  # what the user had better know
    base: Base | None = None  # what the layers go on top of


@dataclass(frozen=True, slots=True)
class Built:
    """An image, and the names of the layers that had to be packed for it."""

    image: Image
    packed: frozenset[str]
    notes: tuple[str, ...] = ()  # of its plan
    base: Base | None = None  # whose layers come first in the image


def canonical_json(value: object) -> bytes:
    """JSON in one spelling, so that equal values have equal digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=dict).encode()
