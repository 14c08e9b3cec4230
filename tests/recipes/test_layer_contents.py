"""What a layer has in it is read once, and fetched where another machine has packed it."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from cannery.errors import ImageError
from cannery.image.content import Inline
from cannery.image.layer import pack
from cannery.image.tree import File, Tree
from cannery.recipes.layer_contents import contents_of_layer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.image.layer import Layer
    from cannery.workspace.digest import Digest
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once


@dataclass
class OneBlob:
    """What another machine shares: the blob in a file, and no record."""

    path: Path

    def recall(self, kind: str, key: str) -> dict[str, Any] | None:
        del kind, key
        return None

    def use(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        pass

    def has_blob(self, digest: Digest) -> bool:
        return self.path.name == digest.hex

    def fetch(self, layer: Layer, blobs: Any) -> None:
        shutil.copy(self.path, blobs.blob(layer.digest))


def test_a_layer_is_read_once_and_fetched_where_it_is_not_here(workspace: Workspace, tmp_path: Path) -> None:
    layer = pack("app", Tree({"/app/a.py": File(Inline(b"1"))}), workspace.cache)
    elsewhere = layer.blob.rename(tmp_path / layer.digest.hex)
    with pytest.raises(ImageError, match="the layer app is not in the cache"):
        contents_of_layer(layer, workspace)
    shared = replace(workspace, cache=dataclasses.replace(workspace.cache, shared=OneBlob(elsewhere)))
    (found,) = contents_of_layer(layer, shared)
    assert found.path == "/app/a.py"
    layer.blob.unlink()
    assert contents_of_layer(layer, workspace) == [found]
