"""The memory that a static executable starts from: whether one can be made, of which modules, and what stays out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError
from cannery.executable.static.memory import OFF
from cannery.executable.static.snapshot import Snapshot, StartingPlace, with_memory
from cannery.image.platform import Platform
from cannery.image.tree import Decision
from cannery.project.app import FunctionEntry, ModuleEntry, ScriptEntry
from cannery.recipes.container_config import program_environment

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from cannery.executable.kit.kit import Kit
    from cannery.project.app import App
    from cannery.recipes.static_program.parts import ExecutableParts

__all__ = ["check_snapshot", "late_modules", "modules_to_import", "starting_place", "with_snapshot"]

_VERSION: Final = (3, 13)  # whose objects launcher/hashes.c knows
_MACHINE: Final = "x86_64"  # whose first instructions launcher/start.c has
_HOME: Final = "/tmp"  # noqa: S108  # that of the image's user, which engines put into HOME


def check_snapshot(app: App, kit: Kit, libraries: Collection[str]) -> None:
    """Raise :class:`ConfigurationError` where no snapshot can be made of ``app``, which loads ``libraries``."""
    settings = app.settings.static
    if settings.packing != "none":
        raise ConfigurationError(
            "a snapshot starts fast, and a packed executable doesn't",
            evidence=f'snapshot goes with  packing = "none", and not with {settings.packing!r}',
            step='set  [tool.cannery.static]  packing = "none"',
        )
    if kit.interpreter.version[:2] != _VERSION:
        told = ".".join(map(str, _VERSION))
        raise ConfigurationError(
            f"a snapshot needs a kit of Python {told}",
            evidence=f"this one is {kit.interpreter.version_text}",
            step=OFF,
        )
    if os.uname().machine != _MACHINE or not kit.interpreter.platform.agrees(Platform.parse("linux/amd64")):
        raise ConfigurationError("a snapshot is made on x86-64, and for x86-64, alone", step=OFF)
    if settings.snapshot is True and isinstance(app.main.started, ScriptEntry):
        raise ConfigurationError(
            "a snapshot has modules, and what starts is a script, which runs as a whole",
            evidence=str(app.main.started),
            step='name modules that it imports:  snapshot = ["package"]',
        )
    if libraries:
        raise ConfigurationError(
            "a snapshot can't have extension modules of packages",
            evidence=", ".join(sorted(libraries)[:3]),
            step=f"{OFF}, or set  accelerators = false",
        )


def modules_to_import(parts: ExecutableParts) -> tuple[str, ...]:
    """The modules that are imported while the executable is made; none where it has no snapshot."""
    wanted = parts.app.settings.static.snapshot
    if wanted is False:
        return ()
    more = wanted if isinstance(wanted, tuple) else ()
    match parts.app.main.started:
        case FunctionEntry(module=name) | ModuleEntry(name):
            return tuple(dict.fromkeys((name, *more)))
        case _:
            return more


def starting_place(app: App) -> StartingPlace:
    """What the modules of a snapshot find around them: what a process of the image does."""
    return StartingPlace({"HOME": _HOME, **program_environment(app)}, app.settings.uid, "/")


def with_snapshot(parts: ExecutableParts, modules: tuple[str, ...], linked: Path, folder: Path) -> Snapshot:
    """Put into the file ``linked`` its memory with ``modules`` imported."""
    place = starting_place(parts.app)
    parts.workspace.progress("importing modules for the snapshot")
    made = folder / "restored"
    snapshot = with_memory(linked, modules, place, made)
    made.replace(linked)
    return snapshot


def late_modules(snapshot: Snapshot) -> tuple[Decision, ...]:
    """The modules that are imported when a process starts, each with the reason."""
    return tuple(Decision(name, "put into the snapshot", f"it {why}", 0) for name, why in snapshot.late.items())
