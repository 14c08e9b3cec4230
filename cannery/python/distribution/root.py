"""A root filesystem of a distribution's packages: a Python of it, with all that this depends on."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError, RuntimeTreeError
from cannery.image.rootfs import Root
from cannery.python.distribution.archive import unpack_packages
from cannery.python.distribution.download import AbsentFileError, fetched
from cannery.python.distribution.index import Package, closure, read_index
from cannery.python.distribution.suites import debian_architecture
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.unaltered import unaltered_folder

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.image.platform import Platform
    from cannery.python.distribution.index import PackageIndex
    from cannery.python.distribution.suites import Suite
    from cannery.workspace.workspace import Workspace

__all__ = ["Chosen", "PackagedPython", "WantedPython", "newest", "packaged_python"]

_TOLD: Final = "packages.json"
_AT_ONCE: Final = 4  # downloads
# What a Python uses without depending on it: the C library's locale, time zones, descriptions of terminals, the links
# of a merged /usr; and the libraries of C++ and of threads, which wheels may expect of a system (PEP 600).
_BESIDE: Final = ("base-files", "libc-bin", "tzdata", "ncurses-base", "libstdc++6", "libgomp1")
_PYTHON: Final = re.compile(r"python(3\.\d+)")


@dataclass(frozen=True, slots=True)
class WantedPython:
    """A Python of a distribution, as a project asks for it."""

    suite: Suite
    platform: Platform
    python: str | None = None  # "3.13"; None: the suite's own
    packages: tuple[str, ...] = ()  # more of the suite's, for libraries that a program opens
    mirrors: tuple[tuple[str, str], ...] = ()  # addresses by the names of archives


@dataclass(frozen=True, slots=True)
class Chosen:
    """The packages that a Python consists of, in exact versions."""

    python: str  # "python3.13", as its program is called
    date: str  # when the archives had all of them: "20261127T093000Z"
    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True)
class PackagedPython:
    """A root with a Python that was unpacked from packages."""

    root: Root
    chosen: Chosen
    key: str  # another one where any package is another

    @property
    def packages(self) -> Path:
        """A file in JSON: the packages by their names, with their fields, and the paths in the root of their files."""
        return self.root.path.parent / _TOLD

    @property
    def program(self) -> str:
        """The path of the interpreter in the root."""
        return f"/usr/bin/{self.chosen.python}"


def packaged_python(wanted: WantedPython, workspace: Workspace, locked: Chosen | None = None) -> PackagedPython:
    """The Python that is ``wanted``, its packages fetched and unpacked, now or in an earlier build.

    It consists of those that are ``locked``, or else of the newest: these are looked up once, and again where
    ``workspace.refresh`` asks for that. Raises :class:`RuntimeTreeError` where something can't be had or isn't signed,
    :class:`ConfigurationError` where the suite has no such Python.
    """
    if locked is not None:
        return _unpacked(locked, wanted, workspace)
    key = key_of("packages", code_key(__name__), asdict(wanted))
    known = None if workspace.refresh else workspace.cache.recall("package-lists", key)
    if known is None:
        known = asdict(newest(wanted, workspace))
        workspace.cache.remember("package-lists", key, known)
    packages = tuple(Package(**each) for each in known["packages"])
    return _unpacked(Chosen(known["python"], known["date"], packages), wanted, workspace)


def newest(wanted: WantedPython, workspace: Workspace) -> Chosen:
    """The newest packages of the Python that is ``wanted``; raises as :func:`packaged_python` does."""
    index = read_index(wanted.suite, debian_architecture(wanted.platform), dict(wanted.mirrors), workspace)
    name = _python_of(index, wanted)
    packages = closure(index, (name, *_BESIDE, *wanted.packages))
    return Chosen(name, index.date.strftime("%Y%m%dT%H%M%SZ"), tuple(packages))


def _python_of(index: PackageIndex, wanted: WantedPython) -> str:
    """The name of the package of the Python that is wanted: the suite's own is the one that ``python3`` stands for."""
    if wanted.python is not None:
        name = f"python{wanted.python}"
        if index.package(name) is None:
            has = sorted(filter(_PYTHON.fullmatch, index.stanzas), key=lambda each: int(each.rpartition(".")[2]))
            raise ConfigurationError(
                f"{index.suite} has no Python {wanted.python}",
                evidence=f"it has {', '.join(has) or 'none'}",
                step="take another suite, or another  [tool.cannery]  python",
            )
        return name
    own = index.package("python3")
    names = [name for group in index.needs(own) for name in group if _PYTHON.fullmatch(name)] if own else []
    if not names:
        raise RuntimeTreeError(f"{index.suite} has no Python of its own", step="name one:  [tool.cannery]  python")
    return names[0]


def _unpacked(chosen: Chosen, wanted: WantedPython, workspace: Workspace) -> PackagedPython:
    key = key_of("package root", code_key(__name__), [(each.name, each.sha256) for each in chosen.packages])

    def fill(folder: Path) -> None:
        workspace.progress(f"fetching {len(chosen.packages)} packages with {chosen.python}")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            started = {
                each.name: pool.submit(_fetched, each, chosen.date, wanted, workspace) for each in chosen.packages
            }
            files = {name: fetch.result() for name, fetch in started.items()}
        workspace.progress(f"unpacking {chosen.python}")
        (folder / "root").mkdir()
        brought = unpack_packages(files, folder / "root")
        architecture = debian_architecture(wanted.platform)
        told = {
            each.name: {**asdict(each), "architecture": architecture, "files": sorted(brought[each.name])}
            for each in chosen.packages
        }
        (folder / _TOLD).write_text(json.dumps(told), encoding="utf-8")

    folder = unaltered_folder(workspace.cache, "package-roots", key, fill, without={"__pycache__"})
    return PackagedPython(Root(folder / "root"), chosen, key)


def _fetched(package: Package, date: str, wanted: WantedPython, workspace: Workspace) -> Path:
    """The file of a package: archives drop what has a newer version, and snapshots keep it."""
    distribution, mirrors = wanted.suite.distribution, dict(wanted.mirrors)
    archive = distribution.address(package.archive, mirrors)
    try:
        return fetched(f"{archive}/{package.path}", package.sha256, package.size, workspace)
    except AbsentFileError:
        past = distribution.past(package.archive, date, mirrors)
        if past is None:
            raise
        return fetched(f"{past}/{package.path}", package.sha256, package.size, workspace)
