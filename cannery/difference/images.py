"""Two images for one platform, compared: configuration, layers and files."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cannery.difference.contents import compared_bytes
from cannery.difference.fields import changed_fields
from cannery.difference.layer_entries import copy_contents, entries_of_layer, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cannery.difference.contents import BytesChange
    from cannery.difference.fields import FieldChange
    from cannery.difference.layer_entries import LayerEntry, PlacedEntry
    from cannery.image.layer import Layer
    from cannery.workspace.digest import Digest

__all__ = ["ComparedImage", "FileChange", "ImageDifference", "LayerPair", "compare_images"]

_MOST_BYTES: Final = 1 << 30  # of files whose bytes are compared: what is beyond that is only told to differ
_PROPERTIES: Final = ("kind", "mode", "owner", "time", "attributes")


class ComparedImage(NamedTuple):
    """An image as it's compared: whatever made or holds it."""

    manifest: Digest
    config: Mapping[str, object]
    layers: Sequence[tuple[str, Layer]]  # with a name for each, no two the same


class LayerPair(NamedTuple):
    """Two layers that stand for each other; None where one of the images has none."""

    name: str
    before: Layer | None
    after: Layer | None
    archives: str = ""  # what else differs than files and their properties

    @property
    def how(self) -> Literal["same", "packed otherwise", "changed", "new", "gone"]:
        """What became of it."""
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        if self.before.diff_id != self.after.diff_id:
            return "changed"
        return "same" if self.before.digest == self.after.digest else "packed otherwise"


class FileChange(NamedTuple):
    """An entry of the image that isn't what it was."""

    path: str
    layer: str
    before: LayerEntry | None
    after: LayerEntry | None
    bytes: BytesChange | None = None  # of a file whose bytes were compared

    @property
    def how(self) -> Literal["new", "gone", "changed"]:
        """What became of it."""
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        return "changed"

    @property
    def properties(self) -> tuple[tuple[str, object, object], ...]:
        """What an archive says of both, and differs: name, before, after."""
        if self.before is None or self.after is None:
            return ()
        pairs = ((name, getattr(self.before, name), getattr(self.after, name)) for name in _PROPERTIES)
        return tuple(each for each in pairs if each[1] != each[2])


@dataclass(frozen=True, slots=True)
class ImageDifference:
    """What differs between two images for one platform."""

    platform: str
    digests: tuple[Digest, Digest]  # of their manifests
    fields: tuple[FieldChange, ...] = ()  # of their configurations
    layers: tuple[LayerPair, ...] = ()
    files: tuple[FileChange, ...] = ()

    @property
    def same(self) -> bool:
        """True where the images are the same, to the byte."""
        return self.digests[0] == self.digests[1]

    @property
    def same_contents(self) -> bool:
        """True where a container can't tell one image from the other: they only are packed or named otherwise."""
        return not self.fields and not self.files


def compare_images(platform: str, before: ComparedImage, after: ComparedImage) -> ImageDifference:
    """What differs in ``after`` from ``before``; all of its layers' blobs are here.

    Raises :class:`ImageError` where a layer can't be read.
    """
    digests = before.manifest, after.manifest
    if digests[0] == digests[1]:
        return ImageDifference(platform, digests)
    pairs = tuple(_pairs(before.layers, after.layers))
    fields = changed_fields(before.config, after.config)
    if all(pair.how in {"same", "packed otherwise"} for pair in pairs):
        return ImageDifference(platform, digests, fields, pairs)
    entries = {layer.diff_id: entries_of_layer(layer) for _, layer in (*before.layers, *after.layers)}
    old, new = (merged(entries[layer.diff_id] for _, layer in each.layers) for each in (before, after))
    files = tuple(_with_bytes(tuple(_changes(old, new, before, after)), old, new, before, after))
    return ImageDifference(platform, digests, fields, tuple(_explained(pairs, entries)), files)


def _pairs(before: Sequence[tuple[str, Layer]], after: Sequence[tuple[str, Layer]]) -> Iterator[LayerPair]:
    """Layers of one name, and then those of the same files; the rest is gone or new, in the order of the images."""
    old, new = dict(before), dict(after)
    by_files = {layer.diff_id: name for name, layer in before if name not in new}
    renamed = {name: by_files[layer.diff_id] for name, layer in after if name not in old and layer.diff_id in by_files}
    for name, layer in after:
        yield LayerPair(name, old.get(renamed.get(name, name)), layer)
    yield from (LayerPair(name, layer, None) for name, layer in before if name not in {*new, *renamed.values()})


def _explained(pairs: Iterable[LayerPair], entries: Mapping[Digest, Mapping[str, LayerEntry]]) -> Iterator[LayerPair]:
    """The pairs, with what differs in their archives where it's neither a file nor what's said of one."""
    for pair in pairs:
        if pair.how == "changed" and pair.before is not None and pair.after is not None:
            old, new = entries[pair.before.diff_id], entries[pair.after.diff_id]
            if old == new:
                order = "the order of its entries" if [*old] != [*new] else "how its headers are written"
                yield pair._replace(archives=order)
                continue
        yield pair


def _changes(
    old: Mapping[str, PlacedEntry], new: Mapping[str, PlacedEntry], before: ComparedImage, after: ComparedImage
) -> Iterator[FileChange]:
    for path in sorted({*old, *new}):
        one, other = old.get(path), new.get(path)
        if one and other and one.entry == other.entry:
            continue
        layer = after.layers[other.layer][0] if other else before.layers[one.layer][0] if one else ""
        yield FileChange(path, layer, one.entry if one else None, other.entry if other else None)


def _with_bytes(
    changes: Sequence[FileChange],
    old: Mapping[str, PlacedEntry],
    new: Mapping[str, PlacedEntry],
    before: ComparedImage,
    after: ComparedImage,
) -> Iterator[FileChange]:
    """The changes, with those of the bytes of files that both images have."""
    wanted, left = set(), _MOST_BYTES
    for each in changes:
        if each.before and each.after and each.before.kind == each.after.kind == "file":
            left -= each.before.size + each.after.size
            if each.before.content != each.after.content and left > 0:
                wanted.add(each.path)
    with TemporaryDirectory(prefix="cannery-") as folder:
        one = _copied(wanted, old, before, Path(folder, "before"))
        other = _copied(wanted, new, after, Path(folder, "after"))
        for each in changes:
            found = compared_bytes(each.path, one[each.path], other[each.path]) if each.path in wanted else None
            yield each._replace(bytes=found)


def _copied(
    paths: Iterable[str], placed: Mapping[str, PlacedEntry], image: ComparedImage, folder: Path
) -> dict[str, Path]:
    by_layer: dict[int, set[str]] = defaultdict(set)
    for path in paths:
        by_layer[placed[path].layer].add(path)
    found: dict[str, Path] = {}
    for number, chosen in by_layer.items():
        place = folder / str(number)
        place.mkdir(parents=True)
        found |= copy_contents(image.layers[number][1], chosen, place)
    return found
