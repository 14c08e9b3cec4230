"""The kit that an app's executable is linked from, and the wheels that fit it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.executable.kit.kit import Kit, built_kit, built_version, given_kit
from cannery.project.interpreter import check_version
from cannery.workspace.files import user_path

if TYPE_CHECKING:
    from cannery.image.platform import Platform
    from cannery.project.app import App
    from cannery.python.interpreter import WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["kit_for", "target_of_kit"]

_OTHER_PYTHON = "take the recipe tiny, scratch or onefile, which pack any Python"


def kit_for(app: App, platform: Platform | str, workspace: Workspace) -> Kit:
    """The kit for ``platform`` that ``app`` is linked with: one that settings or CANNERY_KIT name, or one built now.

    Raises :class:`ConfigurationError`, before anything is built, where the app excludes the kit's Python.
    """
    given = os.environ.get("CANNERY_KIT") or app.settings.static.kit
    if not given:
        check_version(app, built_version(), "the kit that cannery builds", _OTHER_PYTHON)
        return built_kit(platform, workspace)
    kit = given_kit(app.folder / user_path(given), platform, workspace)
    check_version(app, kit.interpreter.version_text, f"the kit {given}", _OTHER_PYTHON)
    return kit


def target_of_kit(kit: Kit) -> WheelTarget:
    """The Python that wheels are chosen for: the kit's, described by options, as uv can't ask a static one.

    They are wheels for glibc, though the kit's Python runs on musl: no extension module of either can be loaded, and
    asking for those of musl alone would give versions that other recipes don't take.
    """
    number = ".".join(map(str, kit.interpreter.version[:2]))
    options = ("--python-platform", kit.target.wheels, "--python-version", number)
    return replace(kit.interpreter.target, executable=Path(sys.executable), options=options)
