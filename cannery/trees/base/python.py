"""The Python of a base, found in the base's files: nothing of it is run, so its platform may be any."""

from __future__ import annotations

import posixpath
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from cannery.elf.dynamic import Elf, read_elf
from cannery.errors import RequirementsError, RuntimeTreeError
from cannery.image.platform import TRIPLETS
from cannery.python.interpreter import WheelTarget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.image.content import OnDisk
    from cannery.image.platform import Platform
    from cannery.image.rootfs import Root

__all__ = ["BasePython", "find_python", "target_of"]

_USUAL: Final = ("/usr/local/bin", "/usr/bin", "/bin", "/opt/python/bin")
_NAME: Final = re.compile(r"python(3\.(\d+))")
_GLIBC: Final = re.compile(rb"GNU C Library [^\n]* version (\d+)\.(\d+)")
_MUSL: Final = re.compile(rb"\0(1)\.(\d+)\.\d+\0")

# The minor versions of glibc 2 that uv's --python-platform has a name for.
_KNOWN_GLIBC: Final = (17, 28, *range(31, 41))


@dataclass(frozen=True, slots=True)
class BasePython:
    """A Python in a root filesystem."""

    path: str  # /usr/local/bin/python3.11, links resolved
    standard_library: str  # the folder
    version: tuple[int, ...]  # two parts, or three where the third could be told
    site_packages: str  # the folder of installed packages
    libc: Literal["glibc", "musl"]
    libc_version: tuple[int, int]

    @property
    def version_text(self) -> str:
        """``3.11.7``."""
        return ".".join(map(str, self.version))


def find_python(root: Root, path: Iterable[str], name: str) -> BasePython:
    """The Python that ``python3`` means in ``root``, or else the newest there; ``path`` is the search path.

    Raises :class:`RuntimeTreeError` where there is none; ``name`` is the base's, for the message.
    """
    folders = tuple(dict.fromkeys([*path, *_USUAL]))
    for program in _candidates(root, folders):
        content = root.content(program)
        elf = read_elf(content) if content else None
        match = _NAME.fullmatch(posixpath.basename(program))
        if content is None or elf is None or match is None:
            continue
        standard_library = _standard_library(root, program, match[0])
        if standard_library is not None:
            libc, libc_version = _libc(root, elf, name)
            version = _version(root, content, match[1], elf)
            return BasePython(
                program, standard_library, version, _site_packages(root, standard_library), libc, libc_version
            )
    raise RuntimeTreeError(
        f"the base {name} has no Python",
        evidence=f"looked for python3 in {', '.join(folders)}",
        step='take a base that has one, as  base = "python:3.11-slim"; the recipe scratch needs no base',
    )


def target_of(python: BasePython, platform: Platform, name: str) -> WheelTarget:
    """The target of wheels for ``python``, in uv's words.

    Raises :class:`RequirementsError` for an architecture that there are no wheels for; ``name`` is the base's.
    """
    machine = TRIPLETS.get(platform.architecture)
    if machine is None:
        raise RequirementsError(
            f"wheels for {platform} can't be chosen from here",
            evidence=f"the base {name} is for {platform}",
            step=f"take a base for one of: {', '.join(f'linux/{each}' for each in TRIPLETS)}",
        )
    if python.libc == "musl":
        system = "unknown-linux-musl"
    else:
        newest = max((each for each in _KNOWN_GLIBC if (2, each) <= python.libc_version), default=_KNOWN_GLIBC[0])
        system = f"manylinux_2_{newest}"
    options = (f"--python-version={python.version_text}", f"--python-platform={machine}-{system}")
    return WheelTarget(Path(sys.executable), python.version, platform, python.site_packages, options)


def _candidates(root: Root, folders: Iterable[str]) -> Iterator[str]:
    """The paths of programs that may be the base's Python, the likeliest first."""
    for folder in folders:
        real = root.resolve(f"{folder}/python3")
        if real is not None:
            yield real
    for folder in folders:
        real = root.resolve(folder)
        names = (each.name for each in root.on_disk(real).iterdir()) if real and root.on_disk(real).is_dir() else ()
        found = [(int(match[2]), each) for each in names if (match := _NAME.fullmatch(each))]
        for _, each in sorted(found, reverse=True):
            if program := root.resolve(f"{real}/{each}"):
                yield program


def _standard_library(root: Root, program: str, name: str) -> str | None:
    """The folder of the standard library, found as the interpreter finds it: by its landmark, ``os.py``."""
    prefix = posixpath.dirname(posixpath.dirname(program))
    for folder in ("lib", "lib64"):
        path = posixpath.join(prefix, folder, name)
        if root.content(f"{path}/os.py") or root.content(f"{path}/os.pyc"):
            return path
    return None


def _site_packages(root: Root, standard_library: str) -> str:
    """The folder of installed packages: Debian's Python has one of its own name, ``dist-packages``."""
    site = root.content(f"{standard_library}/site.py") or root.content(f"{standard_library}/site.pyc")
    if site is not None and b"dist-packages" in site.path.read_bytes():
        return f"/usr/local/lib/{posixpath.basename(standard_library)}/dist-packages"
    return f"{standard_library}/site-packages"


def _version(root: Root, program: OnDisk, minor: str, elf: Elf) -> tuple[int, ...]:
    """The version in the bytes of the interpreter or of its libpython; two parts of it where neither tells more."""
    pattern = re.compile(rb"\0(%s)\.(\d+)[+a-z0-9]*\0" % re.escape(minor.encode()))
    libraries = (soname for soname in elf.needed if soname.startswith(f"libpython{minor}"))
    folders = (*_USUAL_LIBRARIES, *elf.runpath, *elf.rpath)
    files = (root.content(f"{folder}/{soname}") for soname in libraries for folder in folders)
    for file in (program, *filter(None, files)):
        if match := pattern.search(file.path.read_bytes()):
            return (*map(int, minor.split(".")), int(match[2]))
    return tuple(map(int, minor.split(".")))


_USUAL_LIBRARIES: Final = ("/usr/local/lib", "/usr/lib", "/lib", "/usr/lib64")


def _libc(root: Root, program: Elf, name: str) -> tuple[Literal["glibc", "musl"], tuple[int, int]]:
    """The C library that the interpreter runs on, by its loader, and that library's version."""
    loader = program.interpreter or ""
    content = root.content(loader)
    if "musl" in posixpath.basename(loader):
        match = _MUSL.search(content.path.read_bytes()) if content else None
        return "musl", (int(match[1]), int(match[2])) if match else (1, 2)
    for library in _c_libraries(root, loader):
        if match := _GLIBC.search(library.path.read_bytes()):
            return "glibc", (int(match[1]), int(match[2]))
    raise RuntimeTreeError(
        f"it can't be told which C library the Python of the base {name} runs on",
        evidence=f"its loader is {loader or 'none'}",
        step="take a base with glibc or musl, as Debian's and Alpine's are",
    )


def _c_libraries(root: Root, loader: str) -> Iterator[OnDisk]:
    """The files that may be glibc: beside its loader, or in the folder of the architecture."""
    real = root.resolve(loader)
    beside = posixpath.dirname(real) if real else "/lib"
    folders = [beside, "/lib64", "/lib", "/usr/lib64", "/usr/lib"]
    for above in ("/lib", "/usr/lib"):
        on_disk = root.on_disk(root.resolve(above) or above)
        folders += sorted(f"{above}/{each.name}" for each in on_disk.glob("*-linux-gnu*")) if on_disk.is_dir() else []
    return filter(None, (root.content(f"{folder}/libc.so.6") for folder in dict.fromkeys(folders)))
