"""A plan becomes an image: each tree packed, or its layer of last time used again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.image.image import assemble
from cannery.image.layer import Layer, pack
from cannery.recipes.plan import Built, Plan
from cannery.recipes.scratch import recipe_named
from cannery.workspace.cache import used
from cannery.workspace.digest import Digest
from cannery.workspace.files import explained
from cannery.workspace.keys import key_of

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["build", "build_plan", "layer_of"]


def build(app: App, workspace: Workspace) -> Built:
    """Build the image of ``app`` by the recipe that its settings name."""
    plan = recipe_named(app.settings.recipe)(app, workspace)
    return build_plan(plan, workspace, level=app.settings.compression_level)


def build_plan(plan: Plan, workspace: Workspace, *, level: int) -> Built:
    """Build ``plan``, its layers compressed with gzip's ``level``."""
    packed: set[str] = set()
    layers: list[Layer] = []
    for name, tree in plan.layers:
        layer, new = layer_of(name, tree, workspace, level=level)
        layers.append(layer)
        packed |= {name} if new else set()
    return Built(
        assemble(tuple(layers), plan.config, plan.platform, plan.base), frozenset(packed), plan.notes, plan.base
    )


def layer_of(name: str, tree: LazyTree, workspace: Workspace, *, level: int) -> tuple[Layer, bool]:
    """The layer of ``tree``, and whether it had to be packed: that of last time is used again."""
    key = key_of("layer", 1, name, tree.key, level)
    if (layer := _recall(key, workspace)) is not None:
        return layer, False
    with workspace.cache.lock(f"layer-{key}", lambda: workspace.progress("waiting for another build")):
        if (layer := _recall(key, workspace)) is not None:
            return layer, False
        return _pack(name, tree, key, workspace, level), True


def _pack(name: str, tree: LazyTree, key: str, workspace: Workspace, level: int) -> Layer:
    layer = pack(name, tree.tree, workspace, level=level)
    record = {
        "name": layer.name,
        "digest": layer.digest.hex,
        "diff_id": layer.diff_id.hex,
        "size": layer.size,
        "unpacked_size": layer.unpacked_size,
        "files": layer.files,
        "media_type": layer.media_type,
    }
    workspace.cache.remember("layers", key, record)
    return layer


def _recall(key: str, workspace: Workspace) -> Layer | None:
    record = workspace.cache.recall("layers", key)
    if record is None:
        return None
    digest, diff_id = Digest(record.pop("digest")), Digest(record.pop("diff_id"))
    blob = workspace.cache.blob(digest)
    with explained(blob, "read"):
        whole = blob.exists() and blob.stat().st_size == record["size"]
    if not whole:
        return None
    used(blob)
    return Layer(digest=digest, diff_id=diff_id, blob=blob, **record)
