"""The layer with the bill of materials of the image that it lies in, and with what scanners find programs by."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cannery.image.content import Inline, digest_of
from cannery.image.tree import File, LazyTree, Tree
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.image.layer import Layer
    from cannery.recipes.plan import Plan
    from cannery.workspace.workspace import Workspace

__all__ = ["sbom_tree"]


def sbom_tree(plan: Plan, packed: Sequence[Layer], workspace: Workspace) -> LazyTree:
    """The bill of materials of the image that ``plan`` becomes, whose own layers are ``packed``, as a tree.

    It becomes a layer of its own, as it follows from all others, and it's known by its content: most changes of an
    app leave it as it is. Which content belongs to these layers is remembered.
    """
    layers = (*(plan.base.layers if plan.base else ()), *packed)
    named = (plan.app.name, plan.app.metadata.version, str(plan.platform))
    known = plan.contents.key if plan.contents else None
    key = key_of("sbom", code_key(__name__), named, [layer.diff_id.hex for layer in layers], known)
    made = cache(lambda: _made(plan, layers, workspace))
    record = workspace.cache.recall("sboms", key)
    if record is None:
        contents = [(path, digest_of(file.content).hex) for path, file in made().files()]
        record = {"key": key_of("tree of a bill of materials", contents)}
        workspace.cache.remember("sboms", key, record)
    return LazyTree(record["key"], made)


def _made(plan: Plan, layers: Sequence[Layer], workspace: Workspace) -> Tree:
    from cannery.bom.assembled import SBOM_PATH, PlannedContents, inventory_of_layers  # noqa: PLC0415  # not where nothing has changed
    from cannery.bom.cyclonedx import cyclonedx  # noqa: PLC0415
    from cannery.bom.package_notes import tree_of_notes  # noqa: PLC0415
    from cannery.recipes.inventory import about  # noqa: PLC0415
    from cannery.recipes.layer_contents import contents_of_layer  # noqa: PLC0415

    planned = plan.contents.make() if plan.contents else PlannedContents()
    files = [contents_of_layer(layer, workspace) for layer in layers]
    inventory = inventory_of_layers(about(plan.app, plan.platform), files, planned)
    own = {file.path for layer in files[len(plan.base.layers) if plan.base else 0 :] for file in layer}
    notes = tree_of_notes(inventory, own, planned.program)
    return planned.beside + notes + Tree({SBOM_PATH: File(Inline(cyclonedx(inventory)))})
