"""The versions of what is in an image are read out of its layers once."""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING

import pytest

from cannery.elf.components import Component
from cannery.image.content import Inline
from cannery.image.image import Image
from cannery.image.layer import pack
from cannery.image.platform import Platform
from cannery.image.tree import File, Tree
from cannery.recipes.components import components_in_image

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

OPENSSL = b"\x7fELF" + bytes(2 << 20) + b"OpenSSL 3.5.7 9 Jun 2026\0"
FILES = {
    "/usr/lib/libcrypto.so.3": OPENSSL,
    "/usr/lib/libsqlite3.so.0.xz": lzma.compress(
        b"\x7fELF\x003.46.1\x00\x002024-08-13 09:16:08 c9c2ab54ba1f5f46360f1b4f35d849cd3f080e6fc2b6c60e91b16c63f69a\x00"
    ),
    "/app/data.xz": b"no xz",
    "/app/notes.txt": b"OpenSSL 1.0.2u  20 Dec 2019\0",
}


def test_components_are_found_in_every_layer_and_remembered(workspace: Workspace) -> None:
    layers = tuple(pack(path, Tree({path: File(Inline(data))}), workspace.cache) for path, data in FILES.items())
    image = Image(layers, {}, {}, Platform("linux", "amd64"))
    expected = (Component("OpenSSL", "3.5.7", "2026-06-09"), Component("SQLite", "3.46.1", "2024-08-13"))
    assert components_in_image(image, workspace) == expected
    for layer in layers:
        layer.blob.unlink()
    assert components_in_image(image, workspace) == expected
