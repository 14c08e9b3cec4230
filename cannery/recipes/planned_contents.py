"""What a recipe knows of the contents of its image that no file in there tells.

Nothing slow is imported here: it's asked where a bill of material is made, and most builds change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.recipes.plan import LazyContents
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.bom.assembled import PlannedContents
    from cannery.image.tree import LazyTree
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["contents_on_base", "contents_with"]


def contents_with(python: Interpreter, wheels: LazyTree, workspace: Workspace) -> LazyContents:
    """What is known of an image with all of ``python`` and the dependencies ``wheels``, or with parts of them."""
    key = key_of("planned contents", code_key(__name__), python.fingerprint, wheels.key)

    def make() -> PlannedContents:
        from cannery.bom.assembled import PlannedContents  # noqa: PLC0415
        from cannery.imports.host import host_of  # noqa: PLC0415
        from cannery.recipes.known_distributions import distributions_of, library_of  # noqa: PLC0415

        builtins = host_of(python, workspace).builtins
        return PlannedContents(distributions_of(wheels, workspace), library_of(python), builtins)

    return LazyContents(key, make)


def contents_on_base(wheels: LazyTree, workspace: Workspace) -> LazyContents:
    """The same of one whose Python is its base's."""
    key = key_of("planned contents on a base", code_key(__name__), wheels.key)

    def make() -> PlannedContents:
        from cannery.bom.assembled import PlannedContents  # noqa: PLC0415
        from cannery.recipes.known_distributions import distributions_of  # noqa: PLC0415

        return PlannedContents(known=distributions_of(wheels, workspace))

    return LazyContents(key, make)
