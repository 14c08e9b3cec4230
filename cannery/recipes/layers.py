"""A tree becomes a layer: packed, or the one of last time used again."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, NamedTuple

from cannery.image.layer import Layer, pack
from cannery.image.tree import Decision
from cannery.workspace.cache import used
from cannery.workspace.digest import Digest
from cannery.workspace.files import explained
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree
    from cannery.workspace.workspace import Workspace

__all__ = ["MadeLayer", "layer_of"]


class MadeLayer(NamedTuple):
    """The layer of a tree, and what else is known of it."""

    layer: Layer
    packed: bool  # now; else it's the one of last time
    decisions: tuple[Decision, ...]  # the tree's


def layer_of(name: str, tree: LazyTree, workspace: Workspace, *, level: int) -> MadeLayer:
    """The layer of ``tree``: the one of last time where there is one, as the tree's key and ``level`` are its own."""
    key = key_of("layer", code_key(__name__), name, tree.key, level)
    if (known := _recall(key, workspace)) is not None:
        return known
    with workspace.cache.lock(f"layer-{key}", lambda: workspace.progress("waiting for another build")):
        return _recall(key, workspace) or _pack(name, tree, key, workspace, level)


def _pack(name: str, tree: LazyTree, key: str, workspace: Workspace, level: int) -> MadeLayer:
    layer = pack(name, tree.tree, workspace, level=level)
    record = {
        "layer": {
            "name": layer.name,
            "digest": layer.digest.hex,
            "diff_id": layer.diff_id.hex,
            "size": layer.size,
            "unpacked_size": layer.unpacked_size,
            "files": layer.files,
            "media_type": layer.media_type,
        },
        "decisions": [astuple(each) for each in tree.tree.decisions],
    }
    workspace.cache.remember("layers", key, record)
    return MadeLayer(layer, packed=True, decisions=tree.tree.decisions)


def _recall(key: str, workspace: Workspace) -> MadeLayer | None:
    record = workspace.cache.recall("layers", key)
    if record is None:
        return None
    facts = record["layer"]
    digest, diff_id = Digest(facts.pop("digest")), Digest(facts.pop("diff_id"))
    blob = workspace.cache.blob(digest)
    with explained(blob, "read"):
        whole = blob.exists() and blob.stat().st_size == facts["size"]
    if not whole:
        return None
    used(blob)
    layer = Layer(digest=digest, diff_id=diff_id, blob=blob, **facts)
    return MadeLayer(layer, packed=False, decisions=tuple(Decision(*each) for each in record["decisions"]))
