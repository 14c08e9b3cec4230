"""The versions of what is in an image: of Python, OpenSSL, SQLite and the C library."""

from __future__ import annotations

import lzma
import tarfile
from typing import IO, TYPE_CHECKING, Final

from cannery.elf.components import Component, ComponentSearch
from cannery.elf.headers import MAGIC
from cannery.image.decompression import compression_of, undamaged, unzipped
from cannery.workspace.files import explained
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.image import Image
    from cannery.image.layer import Layer
    from cannery.workspace.workspace import Workspace

__all__ = ["components_in_image"]

_PIECE: Final = 1 << 20  # bytes that are looked at in one go
_OVERLAP: Final = 1 << 10  # of them that are looked at again with the next: a text may lie across both


def components_in_image(image: Image, workspace: Workspace) -> tuple[Component, ...]:
    """What is in the layers of ``image``, each once; a layer that was looked at before isn't read again."""
    return tuple(sorted({each for layer in image.layers for each in _in_layer(layer, workspace)}))


def _in_layer(layer: Layer, workspace: Workspace) -> list[Component]:
    key = key_of("components", code_key(__name__), layer.diff_id.hex)
    found = workspace.cache.recall("components", key)
    if found is None:
        if not layer.is_present():  # of a base that is pulled when it's needed
            return []
        found = {"components": [(each.name, each.version, each.changed) for each in _read(layer)]}
        workspace.cache.remember("components", key, found)
    return [Component(*each) for each in found["components"]]


def _read(layer: Layer) -> set[Component]:
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
