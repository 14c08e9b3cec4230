"""From a tree to its layer: packed now, or by an earlier build."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, NamedTuple

from cannery.image.layer import Layer, pack
from cannery.image.tree import Decision
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree
    from cannery.workspace.workspace import Workspace

__all__ = ["MadeLayer", "layer_of"]


class MadeLayer(NamedTuple):
    """The layer of a tree, and what else is known of it."""

    layer: Layer
    packed: bool  # now; False: by an earlier build, maybe of another machine that has shared it
    decisions: tuple[Decision, ...]  # the tree's


def layer_of(name: str, tree: LazyTree, workspace: Workspace, *, level: int) -> MadeLayer:
    """The layer of ``tree``, compressed with gzip's ``level``; that of an earlier build where the key is the same."""
    key = key_of("layer", code_key(__name__), name, tree.key, level)
    if (known := _recall(key, workspace)) is not None:
        return known
    with workspace.cache.lock(f"layer-{key}", lambda: workspace.progress("waiting for another build")):
        return _recall(key, workspace) or _pack(name, tree, key, workspace, level)


def _pack(name: str, tree: LazyTree, key: str, workspace: Workspace, level: int) -> MadeLayer:
    layer = pack(name, tree.tree, workspace.cache, level=level, progress=workspace.progress)
    record = {"layer": layer.as_json(), "decisions": [astuple(each) for each in tree.tree.decisions]}
    workspace.cache.remember("layers", key, record)
    return MadeLayer(layer, packed=True, decisions=tree.tree.decisions)


def _recall(key: str, workspace: Workspace) -> MadeLayer | None:
    record = workspace.cache.recall("layers", key)
    if record is None:
        return None
    layer = Layer.from_json(record["layer"], workspace.cache)
    if not (layer.is_present() or _is_shared(layer, workspace)):
        return None
    return MadeLayer(layer, packed=False, decisions=tuple(Decision(*each) for each in record["decisions"]))


def _is_shared(layer: Layer, workspace: Workspace) -> bool:
    shared = workspace.cache.shared
    return shared is not None and shared.has_blob(layer.digest)
