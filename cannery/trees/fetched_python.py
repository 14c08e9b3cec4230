"""A Python that is fetched to be packed: from a distribution's packages, or out of another image."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import structs

from cannery.errors import ConfigurationError, RuntimeTreeError
from cannery.image.platform import Platform, machine_platform
from cannery.project.app import LOCK_FILE
from cannery.project.build_lock import read_lock
from cannery.project.interpreter import check_version
from cannery.project.pep508 import allows
from cannery.python.distribution.index import Package
from cannery.python.distribution.root import Chosen, WantedPython, packaged_python
from cannery.python.distribution.suites import DISTRIBUTIONS, parse_suite, suite_with
from cannery.trees.base.image import base_image
from cannery.trees.python_in_root import PythonRoot, interpreter_in, launched
from cannery.workspace.keys import key_of

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.app import App
    from cannery.python.distribution.suites import Suite
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["asked_for", "fetched_python", "usual_suite", "wanted_python"]

_SHORT: Final = 16  # digits of a digest


def fetched_python(runtime: str, app: App, workspace: Workspace) -> Interpreter:
    """The Python of ``runtime``, as ``debian:trixie`` or ``python:3.14-slim``, for the app's platform.

    Raises :class:`RuntimeTreeError` where it can't be had, :class:`ConfigurationError` where the project excludes it.
    """
    suite = parse_suite(runtime)
    found = _in_image(runtime, app, workspace) if suite is None else _in_packages(suite, app, workspace)
    step = "take another runtime, or another  [tool.cannery]  python"
    check_version(app, found.version_text, f"the runtime {runtime}", step)
    return found


def usual_suite(app: App) -> Suite:
    """The suite that the Python comes from where the settings name none: one whose own Python has the right version.

    That is the version that the project asks for, or the one that runs cannery, so that all platforms have the same.
    Raises :class:`RuntimeTreeError` where no suite is known for it.
    """
    known = sorted({minor for each in DISTRIBUTIONS.values() for minor in each.pythons}, key=_number, reverse=True)
    running = ".".join(map(str, sys.version_info[:2]))
    named = _minor(app)
    requires = app.metadata.requires_python
    fitting = [named] if named else [minor for minor in (running, *known) if allows(requires, f"{minor}.99")]
    suite = next(filter(None, map(suite_with, fitting)), None)
    if suite is None:
        raise RuntimeTreeError(
            f"no distribution that is known here has Python {named or requires} as its own",
            evidence=f"those known have {', '.join(known)}; from packages comes the Python of an image for "
            f"{app.settings.one_platform or 'Linux'}",
            step='name where it comes from:  [tool.cannery]  runtime = "debian:sid"  or  "python:3.14-slim"',
        )
    return suite


def _number(minor: str) -> int:
    return int(minor.partition(".")[2])


def _minor(app: App) -> str | None:
    """The minor version that the setting ``python`` or ``.python-version`` asks for, as ``3.13``; None for any.

    Raises :class:`ConfigurationError` where the setting names a program of this machine.
    """
    named = app.settings.python or app.python
    if named is None:
        return None
    if "/" in named:
        raise ConfigurationError(
            f"python = {named!r} is a program of this machine, and runtime takes the Python from elsewhere",
            step='name a version:  [tool.cannery]  python = "3.13"',
        )
    return ".".join(named.split(".")[:2])


def wanted_python(suite: Suite, platform: Platform, app: App) -> WantedPython:
    """The Python of ``suite`` that the settings of ``app`` ask for; raises as :func:`fetched_python` does."""
    settings = app.settings
    return WantedPython(
        suite, platform, _minor(app), settings.runtime_packages, tuple(sorted(settings.mirrors.items()))
    )


def asked_for(wanted: WantedPython) -> str:
    """A digest of what is asked for besides the suite and the platform: a lock for something else doesn't fit."""
    return key_of("asked for", wanted.python, sorted(wanted.packages))[:_SHORT]


def _in_packages(suite: Suite, app: App, workspace: Workspace) -> Interpreter:
    platform = app.settings.one_platform
    wanted = wanted_python(suite, Platform.parse(platform) if platform else machine_platform(), app)
    packaged = packaged_python(wanted, workspace, _locked(wanted, app))

    def itself() -> Path:
        """The same Python for this machine: the same version makes the same bytecode wherever it's built."""
        here = replace(wanted, platform=machine_platform())
        return launched(packaged_python(here, workspace, _locked(here, app)), workspace)

    found = PythonRoot(packaged.root, (), wanted.platform, f"the runtime {suite}", packaged.key, packaged.packages)
    return interpreter_in(found, workspace, itself if sys.platform == "linux" else None)


def _locked(wanted: WantedPython, app: App) -> Chosen | None:
    """The packages that the project's lock has for a Python; None without a lock.

    Raises :class:`ConfigurationError` where there is a lock, and it has none of them.
    """
    lock = read_lock(app.folder)
    if lock is None:
        return None
    found = lock.runtime_for(str(wanted.suite), str(wanted.platform), asked_for(wanted))
    if found is None:
        raise ConfigurationError(
            f"{LOCK_FILE} is out of date",
            evidence=f"it has no Python of {wanted.suite} for {wanted.platform} as the settings ask for it",
            step="cannery lock",
        )
    return Chosen(found.python, found.date, tuple(Package(**msgspec.structs.asdict(each)) for each in found.packages))


def _in_image(runtime: str, app: App, workspace: Workspace) -> Interpreter:
    as_base = structs.replace(app, settings=msgspec.structs.replace(app.settings, base=runtime))
    image = base_image(as_base, workspace, packed=True)
    settings = image.base.config.get("config") or {}
    path = next((each[5:] for each in settings.get("Env") or () if each.startswith("PATH=")), "")
    folders = tuple(filter(None, path.split(":")))
    found = PythonRoot(image.root, folders, image.base.platform, f"the runtime {runtime}", image.base.manifest.hex)
    return interpreter_in(found, workspace)
