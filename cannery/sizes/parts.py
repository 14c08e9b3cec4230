"""The parts of an image: each module, library and file, with its bytes, by layer and by owner."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cannery.sizes.ownership import Owner, Ownership

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cannery.sizes.layer_files import LayerFile
    from cannery.sizes.ownership import Kind

__all__ = ["Bytes", "ImageSizes", "Part", "sizes_of", "summed"]


class Bytes(NamedTuple):
    """How much something takes."""

    size: int = 0  # bytes as a container sees it
    packed: int = 0  # bytes of the compressed layers: what is pulled

    def plus(self, other: Bytes) -> Bytes:
        """The sum of both."""
        return Bytes(self.size + other.size, self.packed + other.packed)


class Part(NamedTuple):
    """A module, a library or a file in one layer."""

    layer: str
    owner: Owner
    kind: Kind
    name: str
    bytes: Bytes


@dataclass(frozen=True)
class ImageSizes:
    """What takes the bytes of an image."""

    name: str
    platform: str
    layers: Mapping[str, Bytes]  # by name, from the lowest; their sum is the image
    parts: tuple[Part, ...]

    @cached_property
    def total(self) -> Bytes:
        """All layers together."""
        return summed(self.layers.values())

    @cached_property
    def owners(self) -> Mapping[Owner, Bytes]:
        """The bytes of each owner, over all layers."""
        found: dict[Owner, Bytes] = defaultdict(Bytes)
        for part in self.parts:
            found[part.owner] = found[part.owner].plus(part.bytes)
        return found


def sizes_of(name: str, platform: str, layers: Mapping[str, Sequence[LayerFile]], home: str) -> ImageSizes:
    """The sizes of an image with the files ``layers``, whose app lies in the folder ``home``.

    A file that a later layer replaces or takes away counts in the layer where it lies, as it's pulled all the same.
    """
    owners = Ownership((file for files in layers.values() for file in files), home)
    parts: dict[tuple[str, Owner, Kind, str], Bytes] = defaultdict(Bytes)
    for layer, files in layers.items():
        for file in files:
            if file.size or file.packed:
                key = (layer, *owners.thing(file.path))
                parts[key] = parts[key].plus(Bytes(file.size, file.packed))
    sums = {layer: summed(Bytes(file.size, file.packed) for file in files) for layer, files in layers.items()}
    return ImageSizes(name, platform, sums, tuple(Part(*key, taken) for key, taken in parts.items()))


def summed(each: Iterable[Bytes]) -> Bytes:
    """All of ``each`` together."""
    total = Bytes()
    for taken in each:
        total = total.plus(taken)
    return total
