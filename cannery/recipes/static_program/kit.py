"""The kit that an app's executable is linked from, and the wheels that fit it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cannery.errors import ConfigurationError
from cannery.executable.kit.kit import Kit, built_kit, given_kit, kit_python
from cannery.executable.kit.sources import known_pythons
from cannery.project.interpreter import check_version
from cannery.project.pep508 import allows
from cannery.workspace.files import user_path
from cannery.workspace.invocation import program_name

if TYPE_CHECKING:
    from cannery.image.platform import Platform
    from cannery.project.app import App
    from cannery.python.interpreter import WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["for_musl", "kit_for", "notes_on_kit", "python_for", "target_of_kit"]

_OTHER_PYTHON = "take the recipe tiny, scratch or onefile, which pack any Python"


def kit_for(app: App, platform: Platform | str, workspace: Workspace) -> Kit:
    """The kit for ``platform`` that ``app`` is linked with: one that settings or CANNERY_KIT name, or one built now.

    Raises :class:`ConfigurationError`, before anything is built, where the app excludes the kit's Python.
    """
    given = os.environ.get("CANNERY_KIT") or app.settings.static.kit
    if not given:
        return built_kit(platform, python_for(app), workspace)
    path, sha256 = _with_hash(given)
    kit = given_kit(app.folder / user_path(path), platform, workspace, sha256, lambda version: _fitness(app, version))
    check_version(app, kit.interpreter.version_text, f"the kit {path}", _OTHER_PYTHON)
    return kit


def python_for(app: App) -> str:
    """The minor version of the kit that is built for ``app``: the newest that suits it.

    Raises :class:`ConfigurationError` where there is none.
    """
    named = app.settings.python
    if named is not None and "/" not in named:
        kit_python(named)
    known = known_pythons()
    minor = max(known, key=lambda minor: (_fitness(app, known[minor].version), *map(int, minor.split("."))))
    check_version(app, known[minor].version, "the kit that cannery builds", _OTHER_PYTHON)
    return minor


def notes_on_kit(app: App, kit: Kit) -> tuple[str, ...]:
    """The note that the executable has another Python than ``.python-version`` names; nothing where it hasn't."""
    version = kit.interpreter.version_text
    if app.settings.python is not None or _is_of(version, app.python):
        return ()
    return (f".python-version names Python {app.python}, of which there is no kit here: the executable has {version}",)


def _fitness(app: App, version: str) -> int:
    """How well ``version`` fits: 0 where the project excludes it, 1 where ``.python-version`` names another one."""
    named = app.settings.python
    excluded = named is not None and "/" not in named and not _is_of(version, named)
    if excluded or not allows(app.metadata.requires_python, version):
        return 0
    return 2 if _is_of(version, app.python) else 1


def _is_of(version: str, named: str | None) -> bool:
    return not named or f"{version}.".startswith(f"{named}.")


def _with_hash(given: str) -> tuple[str, str | None]:
    """A path and the SHA-256 behind it, as in ``python.kit#sha256=…``; None where there's none.

    Raises :class:`ConfigurationError` for what can be no SHA-256.
    """
    path, mark, sha256 = given.partition("#sha256=")
    if mark and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ConfigurationError(
            f"the SHA-256 of the kit {path} is wrong",
            evidence=f"{sha256!r} isn't 64 digits of 0 to 9 and a to f",
            step=f"name the kit as {path}#sha256=…, with what `{program_name()} kit` printed",
        )
    return path, sha256 or None


def target_of_kit(kit: Kit) -> WheelTarget:
    """The Python that wheels are chosen for: the kit's, described by options, as uv can't ask a static one.

    They are wheels for glibc, though the kit's Python runs on musl: asking for those of musl alone would give versions
    that other recipes don't take. Once versions are chosen, :func:`for_musl` finds those that fit.
    """
    number = ".".join(map(str, kit.interpreter.version[:2]))
    options = ("--python-platform", kit.target.wheels, "--python-version", number)
    return replace(kit.interpreter.target, executable=Path(sys.executable), options=options)


def for_musl(kit: Kit) -> tuple[str, ...]:
    """The options that have uv look for wheels of the kit's Python for musl."""
    machine = kit.target.triple.partition("-")[0]
    number = ".".join(map(str, kit.interpreter.version[:2]))
    return ("--python-platform", f"{machine}-unknown-linux-musl", "--python-version", number)
