"""What a recipe knows of the contents of its image that no file in there tells.

Nothing slow is imported here: it's asked where a bill of materials is made, and most builds change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.recipes.plan import LazyContents
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.bom.assembled import PlannedContents
    from cannery.python.interpreter import Interpreter
    from cannery.recipes.common import Dependencies
    from cannery.workspace.workspace import Workspace

__all__ = ["contents_on_base", "contents_with"]


def contents_with(python: Interpreter, dependencies: Dependencies, workspace: Workspace) -> LazyContents:
    """What is known of an image with all of ``python`` and the ``dependencies``, or with parts of them."""
    wheels = dependencies.wheels
    key = key_of("planned contents", code_key(__name__), python.fingerprint, wheels.key)

    def make() -> PlannedContents:
        from cannery.bom.assembled import PlannedContents  # noqa: PLC0415
        from cannery.imports.host import host_of  # noqa: PLC0415
        from cannery.recipes.archives import fetched_for  # noqa: PLC0415
        from cannery.recipes.known_distributions import distributions_of, library_of  # noqa: PLC0415

        builtins = host_of(python, workspace).builtins
        return PlannedContents(
            distributions_of(wheels, workspace),
            library_of(python, workspace),
            builtins,
            archives=lambda: fetched_for(dependencies.requirements, wheels, workspace, python),
        )

    return LazyContents(key, make)


def contents_on_base(dependencies: Dependencies, workspace: Workspace) -> LazyContents:
    """The same of one whose Python is its base's."""
    wheels = dependencies.wheels
    key = key_of("planned contents on a base", code_key(__name__), wheels.key)

    def make() -> PlannedContents:
        from cannery.bom.assembled import PlannedContents  # noqa: PLC0415
        from cannery.recipes.archives import fetched_for  # noqa: PLC0415
        from cannery.recipes.known_distributions import distributions_of  # noqa: PLC0415

        return PlannedContents(
            known=distributions_of(wheels, workspace),
            archives=lambda: fetched_for(dependencies.requirements, wheels, workspace),
        )

    return LazyContents(key, make)
