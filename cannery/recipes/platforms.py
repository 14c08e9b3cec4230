"""An app for several platforms: one app for each of them, and the one for this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from cannery.image.platform import Platform, machine_platform

if TYPE_CHECKING:
    from cannery.project.app import App

__all__ = ["for_each_platform", "for_one_platform"]


def for_each_platform(app: App) -> tuple[App, ...]:
    """``app`` for each platform that its settings name, in their order; as it is where they name one or none."""
    platforms = app.settings.platforms
    return tuple(_only(app, each) for each in platforms) if len(platforms) > 1 else (app,)


def for_one_platform(app: App) -> App:
    """``app`` for this machine's platform where its settings name several, so that it can be run here.

    Raises :class:`ConfigurationError` where this machine's is none of several.
    """
    several = for_each_platform(app)
    here = machine_platform()
    named = ((each, each.settings.one_platform) for each in several) if len(several) > 1 else ()
    return next((each for each, platform in named if platform and Platform.parse(platform).runs_on(here)), app)


def _only(app: App, platform: str) -> App:
    return replace(app, settings=msgspec.structs.replace(app.settings, platform=platform))
