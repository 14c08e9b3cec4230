"""The recipes by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from cannery.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from cannery.project.app import App
    from cannery.recipes.plan import Plan
    from cannery.workspace.workspace import Workspace

__all__ = ["RECIPES", "Recipe", "recipe_named"]

RECIPES: Final = ("scratch", "tiny", "static", "onefile", "slim", "cython")


class Recipe(Protocol):
    """A way from an app to an image."""

    def __call__(self, app: App, workspace: Workspace) -> Plan:
        """Plan the image of ``app``."""
        ...


def recipe_named(name: str) -> Recipe:
    """The recipe called ``name``; no other recipe is imported.

    Raises :class:`ConfigurationError` where there is none of that name.
    """
    match name:
        case "scratch":
            from cannery.recipes.scratch import scratch  # noqa: PLC0415

            return scratch
        case "tiny":
            from cannery.recipes.tiny import tiny  # noqa: PLC0415

            return tiny
        case "slim":
            from cannery.recipes.on_base import slim  # noqa: PLC0415

            return slim
        case "cython":
            from cannery.recipes.on_base import cython  # noqa: PLC0415

            return cython
        case "onefile":
            from cannery.recipes.onefile import onefile  # noqa: PLC0415

            return onefile
        case "static":
            from cannery.recipes.static import static  # noqa: PLC0415

            return static
    raise ConfigurationError(
        f"there is no recipe {name!r}",
        evidence=did_you_mean(name, RECIPES),
        step=f"recipes are: {', '.join(RECIPES)}",
    )
