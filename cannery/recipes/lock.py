"""From an app to its lock: what its build takes besides wheels, in the versions that there are now."""

from __future__ import annotations

import hashlib
import importlib.metadata
import zlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from cannery.errors import ConfigurationError
from cannery.image.platform import Platform
from cannery.project.app import LOCK_FILE
from cannery.project.build_lock import LOCK_VERSION, BuildLock, LockedBase, LockedPackage, LockedRuntime, read_lock
from cannery.python.distribution.root import newest
from cannery.python.distribution.suites import parse_suite
from cannery.recipes.platforms import PACKING_PYTHON, for_each_platform
from cannery.trees.base.sources import digest_now, reference_of
from cannery.trees.fetched_python import asked_for, wanted_python
from cannery.trees.packed_python import MACHINE_RUNTIME, runtime_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["check_lock", "lock_of", "require_lock", "tools_of", "zlib_digest"]

# Of what builds run on: the Python of the same packages makes the bytecode there, whatever the image is for.
_BUILDING: Final = (Platform("linux", "amd64"), Platform("linux", "arm64"))
_SAMPLE: Final = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(256)).encode() * 8
_LEVELS: Final = (1, 6, 9)


def lock_of(app: App, workspace: Workspace) -> BuildLock:
    """The newest of all that a build of ``app`` takes besides wheels.

    Raises :class:`RuntimeTreeError` where something can't be had, :class:`RegistryError` where a registry refuses.
    """
    return BuildLock(
        LOCK_VERSION,
        tools=tools_of(app),
        zlib=zlib_digest(),
        runtime=tuple(_runtimes(app, workspace)),
        base=tuple(_bases(app, workspace)),
    )


def require_lock(app: App) -> None:
    """Raise :class:`ConfigurationError` where the project has no lock."""
    if read_lock(app.folder) is None:
        raise ConfigurationError(f"--locked, and the project has no {LOCK_FILE}", step="cannery lock")


def check_lock(app: App) -> None:
    """Raise :class:`ConfigurationError` where this machine has other tools than the project's lock, if it has one."""
    lock = read_lock(app.folder)
    if lock is None:
        return
    here = tools_of(app)
    different = {name: version for name, version in lock.tools.items() if here.get(name, version) != version}
    if missing := sorted(here.keys() - lock.tools.keys()):
        raise ConfigurationError(f"{LOCK_FILE} is out of date", evidence=f"it has no {missing[0]}", step="cannery lock")
    if different:
        wanted = " ".join(f"{name}=={version}" for name, version in sorted(different.items()))
        raise ConfigurationError(
            f"this machine has other tools than {LOCK_FILE}, and they make other bytes",
            evidence="\n".join(f"{name} {here[name]}, and locked is {version}" for name, version in different.items()),
            step=f"pip install {wanted}; or, to lock what is here:  cannery lock",
        )
    if lock.zlib != zlib_digest():
        raise ConfigurationError(
            f"this machine's zlib compresses otherwise than the one that {LOCK_FILE} was written with",
            evidence=f"it calls itself {zlib.ZLIB_RUNTIME_VERSION}",
            step="build with a Python that has the usual zlib; or, to lock what is here:  cannery lock",
        )


def tools_of(app: App) -> dict[str, str]:
    """The versions of the distributions on this machine that decide about the bytes of the app's image."""
    settings = app.settings
    names = ["cannery"]
    if settings.ca_certificates is None:
        names.append("certifi")
    if settings.compile or settings.recipe == "cython":
        names += ["cython", "ziglang"] if settings.platforms or settings.cython.target else ["cython"]
    names += {"static": ["ziglang"], "onefile": ["pyinstaller", "staticx"]}.get(settings.recipe, [])
    return dict(sorted(_versions(names)))


def _versions(names: list[str]) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(names):
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # the build says so, with what it's needed for


def zlib_digest() -> str:
    """A digest of what this machine's zlib makes of a sample: there are several, and each compresses in its own way."""
    made = (zlib.compress(_SAMPLE, level) for level in _LEVELS)
    return f"sha256:{hashlib.sha256(b''.join(made)).hexdigest()}"


def _runtimes(app: App, workspace: Workspace) -> Iterator[LockedRuntime]:
    if app.settings.recipe not in PACKING_PYTHON:
        return
    for each in for_each_platform(app):
        if (suite := parse_suite(runtime_of(each))) is None:
            continue
        named = each.settings.one_platform
        own = (Platform.parse(named),) if named else ()
        for platform in dict.fromkeys((*own, *_BUILDING)):
            wanted = wanted_python(suite, platform, each)
            chosen = newest(wanted, workspace)
            packages = tuple(LockedPackage(**asdict(package)) for package in chosen.packages)
            yield LockedRuntime(str(suite), str(platform), asked_for(wanted), chosen.python, chosen.date, packages)


def _bases(app: App, workspace: Workspace) -> Iterator[LockedBase]:
    """The images in registries that the recipe takes: the base, or the one that the Python comes from."""
    settings = app.settings
    if settings.recipe in PACKING_PYTHON:
        named = {runtime_of(each) for each in for_each_platform(app)} - {MACHINE_RUNTIME}
        names = sorted(name for name in named if parse_suite(name) is None)
    else:
        names = [settings.base] if settings.base and settings.recipe in {"slim", "cython"} else []
    for name in names:
        if reference_of(name) is None:
            continue
        workspace.progress(f"looking at {name}")
        digest = digest_now(name, replace(workspace, refresh=True))
        if digest is None:
            raise ConfigurationError(f"the registry of {name} tells no digest, so it can't be locked")
        yield LockedBase(name, digest)
