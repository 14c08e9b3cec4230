"""A layer read for the versions of what is in it."""

from __future__ import annotations

import lzma
import tarfile
from typing import IO, TYPE_CHECKING, Final

from cannery.elf.components import ComponentSearch
from cannery.elf.headers import MAGIC
from cannery.image.decompression import compression_of, undamaged, unzipped
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from cannery.elf.components import Component
    from cannery.image.layer import Layer

__all__ = ["read_components"]

_PIECE: Final = 1 << 20  # bytes that are looked at in one go
_OVERLAP: Final = 1 << 10  # of them that are looked at again with the next: a text may lie across both


def read_components(layer: Layer) -> set[Component]:
    """What the programs and libraries in ``layer`` tell of themselves, and those that the recipe tiny has as xz."""
    found: set[Component] = set()
    with explained(layer.blob, "read"), undamaged(f"the layer {layer.name}"), layer.blob.open("rb") as blob:
        compression = compression_of(blob.read(6))
        blob.seek(0)
        content = unzipped(blob, compression)
        with tarfile.open(fileobj=content, mode="r|") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isreg() else None
                if stream is not None:
                    found |= _in_xz(stream) if member.name.endswith(".xz") else _in_file(stream)
    return found


def _in_xz(stream: IO[bytes]) -> frozenset[Component]:
    """What is in a library as the recipe tiny has large ones; nothing in a file that only has such a name."""
    try:
        with lzma.LZMAFile(stream) as content:
            return _in_file(content)
    except (lzma.LZMAError, EOFError):
        return frozenset()


def _in_file(stream: IO[bytes]) -> frozenset[Component]:
    search = ComponentSearch()
    before, data = b"", stream.read(len(MAGIC))
    if data != MAGIC:
        return frozenset()
    while data := stream.read(_PIECE):
        search.look(before + data)
        before = data[-_OVERLAP:]
    return frozenset(search.found())
