"""What layers hold, as it's compared: each entry with all that an archive says of it, and a digest of its bytes."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from cannery.image.decompression import compression_of, undamaged, unzipped
from cannery.image.hashing import HashingReader, pieces
from cannery.image.layer import OPAQUE, WHITEOUT
from cannery.image.tar import members
from cannery.workspace.files import explained

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from cannery.image.layer import Layer

__all__ = ["LayerEntry", "PlacedEntry", "copy_contents", "entries_of_layer", "merged"]

_KINDS: Final = {b"0": "file", b"\0": "file", b"1": "hard link", b"2": "link", b"5": "folder"}
_OTHER_KINDS: Final = {b"3": "character device", b"4": "block device", b"6": "FIFO"}
_ATTRIBUTE: Final = "SCHILY.xattr."  # begins the name of a pax record that stands for an extended attribute


class LayerEntry(NamedTuple):
    """A file, a folder or a link of a layer."""

    kind: str  # "file", "folder", "link", …
    mode: int
    owner: str  # "UID:GID"
    time: float  # seconds since the epoch
    size: int  # bytes of a file
    content: str  # a file's digest, a link's target, a device's numbers
    attributes: tuple[tuple[str, str], ...]  # extended ones


class PlacedEntry(NamedTuple):
    """An entry of an image, and the layer that has it."""

    entry: LayerEntry
    layer: int  # its number, from 0


def entries_of_layer(layer: Layer) -> dict[str, LayerEntry]:
    """The entries of ``layer`` by their paths in the image, whiteouts among them, in the archive's order.

    Raises :class:`ImageError` where its blob is no layer, or damaged.
    """
    return {path: _entry(member, content) for path, member, content in _read(layer)}


def merged(layers: Iterable[Mapping[str, LayerEntry]]) -> dict[str, PlacedEntry]:
    """What an image of ``layers`` holds: of each path the uppermost entry, less what whiteouts take away."""
    found: dict[str, PlacedEntry] = {}
    for number, entries in enumerate(layers):
        own, gone, emptied = _taken_apart(entries)
        kept = {path: placed for path, placed in found.items() if not (gone or emptied) or _stays(path, gone, emptied)}
        found = {**kept, **{path: PlacedEntry(entry, number) for path, entry in own.items()}}
    return found


def _taken_apart(entries: Mapping[str, LayerEntry]) -> tuple[dict[str, LayerEntry], set[str], set[str]]:
    """The entries that are no whiteouts, the paths that a layer takes away, and those below which it takes all away."""
    own: dict[str, LayerEntry] = {}
    gone, emptied = set(), set()
    for path, entry in entries.items():
        folder, name = posixpath.split(path)
        if name == OPAQUE:
            emptied.add(folder)
        elif name.startswith(WHITEOUT):
            gone.add(posixpath.join(folder, name.removeprefix(WHITEOUT)))
        else:
            own[path] = entry
            if entry.kind != "folder":
                emptied.add(path)
    return own, gone, emptied


def _stays(path: str, gone: set[str], emptied: set[str]) -> bool:
    """True for a path of a lower layer that's neither taken away nor below one that is."""
    if path in gone:
        return False
    above = path
    while above != "/":
        above = posixpath.dirname(above)
        if above in gone or above in emptied:
            return False
    return True


def copy_contents(layer: Layer, paths: Collection[str], folder: Path) -> dict[str, Path]:
    """Write the files at ``paths`` of ``layer`` into ``folder``, whatever their names; returns where each is."""
    found: dict[str, Path] = {}
    for path, _, content in _read(layer):
        if path in paths and content is not None:
            found.setdefault(path, folder / str(len(found)))
            with found[path].open("wb") as file:
                file.writelines(pieces(content))
    return found


def _read(layer: Layer) -> Iterator[tuple[str, tarfile.TarInfo, BinaryIO | None]]:
    name = f"the layer {layer.name}"
    with explained(layer.blob, "read"), layer.blob.open("rb") as file, undamaged(name, str(layer.blob)):
        for member, content in members(unzipped(file, compression_of(file.peek(8)))):
            yield posixpath.normpath(f"/{member.name.lstrip('/')}"), member, content


def _entry(member: tarfile.TarInfo, content: BinaryIO | None) -> LayerEntry:
    kind = _KINDS.get(member.type) or _OTHER_KINDS.get(member.type) or f"entry of the type {member.type!r}"
    attributes = ((name, value) for name, value in member.pax_headers.items() if name.startswith(_ATTRIBUTE))
    return LayerEntry(
        kind if content is None else "file",
        member.mode & 0o7777,
        f"{member.uid}:{member.gid}",
        member.mtime,
        member.size if content is not None else 0,
        _told(member) if content is None else _digest(content),
        tuple(sorted((name.removeprefix(_ATTRIBUTE), value) for name, value in attributes)),
    )


def _told(member: tarfile.TarInfo) -> str:
    if member.isdev() and not member.isfifo():
        return f"{member.devmajor}:{member.devminor}"
    return member.linkname if member.issym() or member.islnk() else ""


def _digest(content: BinaryIO) -> str:
    reader = HashingReader(content)
    for _ in pieces(reader):
        pass
    return str(reader.digest)
