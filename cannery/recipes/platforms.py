"""An app for several platforms: one app for each of them, and the one for this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from cannery.image.platform import Platform, machine_platform
from cannery.trees.packed_python import MACHINE_RUNTIME, runtime_of

if TYPE_CHECKING:
    from cannery.project.app import App

__all__ = ["PACKING_PYTHON", "for_each_platform", "for_one_platform"]

PACKING_PYTHON: Final = ("scratch", "tiny")  # recipes that take the Python of the setting runtime


def for_each_platform(app: App) -> tuple[App, ...]:
    """``app`` for each platform that its settings name, in their order; as it is where they name one or none.

    All have a Python of the same origin: where one of them can't have this machine's, none has.
    """
    platforms = app.settings.platforms
    if len(platforms) < 2:  # noqa: PLR2004
        return (app,)
    several = tuple(_with(app, platform=each) for each in platforms)
    if app.settings.recipe not in PACKING_PYTHON:
        return several
    origins = dict.fromkeys(map(runtime_of, several))
    elsewhere = [each for each in origins if each != MACHINE_RUNTIME]
    return tuple(_with(each, runtime=elsewhere[0]) for each in several) if elsewhere else several


def for_one_platform(app: App) -> App:
    """``app`` for this machine's platform where its settings name several, so that it can be run here.

    Raises :class:`ConfigurationError` where this machine's is none of several.
    """
    several = for_each_platform(app)
    here = machine_platform()
    named = ((each, each.settings.one_platform) for each in several) if len(several) > 1 else ()
    return next((each for each, platform in named if platform and Platform.parse(platform).runs_on(here)), app)


def _with(app: App, **settings: str) -> App:
    return replace(app, settings=msgspec.structs.replace(app.settings, **settings))
