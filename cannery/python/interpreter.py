"""A Python that goes into an image: mostly one on this machine, which is asked what it is."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from cannery.errors import RuntimeTreeError
from cannery.image.platform import platform_of_uname
from cannery.image.rootfs import MACHINE
from cannery.workspace.contents import contents_key
from cannery.workspace.files import stamp
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.platform import Platform
    from cannery.image.rootfs import Root
    from cannery.workspace.contents import Stamped
    from cannery.workspace.process import Runner
    from cannery.workspace.workspace import Workspace


__all__ = ["Interpreter", "RunningPython", "WheelTarget", "describe", "installed_python", "same_minor"]

_TOO_OLD: Final = re.compile(r"2(\.\d+)*|3\.(\d|10)(\.\d+)*")
_NEWER: Final = 'cannery packs CPython 3.11 and later: set  [tool.cannery]  python = "3.12"'

# Run by the Python in question, so it asks no more than 3.11 has. Where packages are looked for depends on the
# prefix, and distributors patch it (Debian's dist-packages): so the interpreter itself is asked.
_QUESTIONS = """
import importlib.util, json, os, platform, site, sys
executable = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
stdlib = os.path.realpath(os.path.dirname(os.__file__))
prefix = os.path.realpath(sys.base_prefix)
image_stdlib = "/usr/local/" + os.path.relpath(stdlib, prefix)
dynload = [path for path in sys.path if os.path.basename(path) == "lib-dynload" and os.path.isdir(path)]
sys.prefix = sys.base_prefix  # as in the image: Debian's Python looks elsewhere in a virtual environment
library = "/usr/local/lib/" + os.path.basename(stdlib)
sites = [path for path in site.getsitepackages(["/usr/local"]) if os.path.dirname(path) == library]
print(json.dumps({
    "executable": executable, "implementation": sys.implementation.name, "version": list(sys.version_info[:3]),
    "build": sys.version, "prefix": prefix,
    "stdlib": stdlib, "dynload": dynload[0] if dynload else None, "image_stdlib": image_stdlib,
    "site_packages": sites[0] if sites else image_stdlib + "/site-packages", "cache_tag": sys.implementation.cache_tag,
    "magic": importlib.util.MAGIC_NUMBER.hex(),
    "system": platform.system().lower(), "machine": platform.machine(),
}))
"""


def same_minor(version: tuple[int, ...], workspace: Workspace) -> Interpreter:
    """A Python on this machine of the same minor version as ``version``: both have the same bytecode and headers.

    Raises :class:`RuntimeTreeError` where there is none.
    """
    if sys.version_info[:2] == version[:2]:
        return describe(Path(sys.executable), workspace)
    return describe(installed_python(".".join(map(str, version[:2])), workspace.run), workspace)


def describe(executable: Path, workspace: Workspace) -> Interpreter:
    """The Python behind ``executable``, which is asked once, and again when the installation changes.

    Raises :class:`RuntimeTreeError` where it is no CPython 3.11 or later.
    """
    return workspace.once(f"interpreter/{executable}", lambda: _described(executable, workspace))


def _described(executable: Path, workspace: Workspace) -> Interpreter:
    real = executable.resolve()
    key = key_of("interpreter", code_key(__name__), str(executable), stamp(real))
    answers = workspace.cache.recall("interpreters", key)
    if answers is None or not Path(answers["stdlib"]).is_dir():
        answers = _ask(executable, workspace.run)
        workspace.cache.remember("interpreters", key, answers)
    stdlib = Path(answers["stdlib"])
    return Interpreter(
        executable=Path(answers["executable"]),
        version=tuple(answers["version"]),
        prefix=Path(answers["prefix"]),
        stdlib=stdlib,
        dynload=Path(answers["dynload"]) if answers["dynload"] else None,
        image_stdlib=answers["image_stdlib"],
        image_site_packages=answers["site_packages"],
        cache_tag=answers["cache_tag"],
        magic=answers["magic"],
        platform=platform_of_uname(answers["system"], answers["machine"]),
        fingerprint=_fingerprint(answers, workspace),
    )


def _fingerprint(answers: dict[str, Any], workspace: Workspace) -> str:
    files = _files_of(Path(answers["executable"]), Path(answers["stdlib"]))
    return key_of(answers, contents_key(files, workspace.cache))


def _ask(executable: Path, run: Runner) -> dict[str, Any]:
    try:
        answers: dict[str, Any] = json.loads(run([str(executable), "-I", "-c", _QUESTIONS]).stdout)
    except (ProgramFailed, ValueError) as error:
        raise RuntimeTreeError(
            f"{executable} does not answer as a Python does",
            evidence=str(error),
            step='name another:  [tool.cannery]  python = "3.12"',
        ) from error
    version = ".".join(map(str, answers["version"]))
    if answers["implementation"] != "cpython" or tuple(answers["version"]) < (3, 11):
        raise RuntimeTreeError(
            f"{executable} is {answers['implementation']} {version}",
            step=_NEWER,
        )
    return answers


def installed_python(wanted: str, run: Runner) -> Path:
    """The executable of a Python on this machine that fits ``wanted``, a version or specifiers, as uv finds it.

    Raises :class:`RuntimeTreeError` where there is none.
    """
    from cannery.python.versions import hidden_folders  # noqa: PLC0415  # slow to import

    # Version managers put shims on the path, which fail for any version but the chosen one: theirs come before.
    path = os.pathsep.join([*map(str, hidden_folders()), *os.get_exec_path()])
    if _TOO_OLD.fullmatch(wanted):
        raise RuntimeTreeError(f"Python {wanted} is older than what cannery packs", step=_NEWER)
    command = [find_uv(), "python", "find", "--no-python-downloads", "--no-project", "--system", wanted]
    try:
        return Path(run(command, env={"PATH": path}).stdout.strip())
    except ProgramFailed as error:
        raise RuntimeTreeError(
            f"no Python {wanted} on this machine",
            evidence=error.stderr.strip(),
            step=f'install one (for example with "uv python install {wanted}"), or change  [tool.cannery]  python',
        ) from error


def _files_of(executable: Path, stdlib: Path) -> Iterator[Stamped]:
    """The files of an interpreter and its standard library, less those of packages installed into it."""
    yield "", executable, stamp(executable)
    top = len(str(stdlib))
    pending = [str(stdlib)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in {"__pycache__", "site-packages", "dist-packages", "test"}:
                        pending.append(entry.path)
                else:
                    status = entry.stat(follow_symlinks=False)
                    yield entry.path[top:], entry.path, (status.st_size, status.st_mtime_ns)


class WheelTarget(msgspec.Struct, frozen=True):
    """The Python that wheels are chosen for; it need not be on this machine."""

    executable: Path  # of a Python on this machine, which uv asks
    version: tuple[int, ...]
    platform: Platform
    site_packages: str  # the folder in the image that it looks for packages in
    options: tuple[str, ...] = ()  # of uv, where the Python or the platform is another than that of ``executable``


class RunningPython(msgspec.Struct, frozen=True):
    """A Python of this machine that makes bytecode for one of the same minor version elsewhere."""

    executable: Path
    version_text: str
    cache_tag: str  # cpython-313
    magic: str  # of its bytecode, in hexadecimal digits


class Interpreter(msgspec.Struct, frozen=True):
    """A Python, whose files lie on this machine: it's installed here, or in a root filesystem that is kept here."""

    executable: Path  # links resolved
    version: tuple[int, int, int]
    prefix: Path  # sys.base_prefix, as it knows itself
    stdlib: Path
    dynload: Path | None  # the folder of the standard library's extension modules; None if all are built in
    image_stdlib: str  # the folder that it looks for its standard library in when it lies in /usr/local/bin
    image_site_packages: str  # and for packages
    cache_tag: str  # cpython-311
    magic: str  # of its bytecode, in hexadecimal digits
    platform: Platform
    fingerprint: str  # changes when the installation does
    root: Root = MACHINE  # that it lies in, with the shared libraries that it needs
    here: RunningPython | None = None  # of another root: what runs in its place
    wheel_options: tuple[str, ...] = ()  # of another root: uv's options that choose its wheels
    packages: Path | None = None  # of a distribution's packages: a file that tells which of them each file is of
    libc: tuple[Literal["glibc", "musl"], tuple[int, int]] | None = None  # of another root: its C library's version

    @property
    def runs(self) -> Path:
        """A Python that runs on this machine, and makes the same bytecode as this one: itself, or one like it."""
        return self.here.executable if self.here else self.executable

    @property
    def compiler(self) -> str:
        """The version that makes the bytecode, as ``3.13.5``: a patch may compile a module otherwise than another."""
        return self.here.version_text if self.here else self.version_text

    @property
    def target(self) -> WheelTarget:
        """The target for its wheels."""
        return WheelTarget(self.runs, self.version, self.platform, self.image_site_packages, self.wheel_options)

    @property
    def name(self) -> str:
        """``python3.11``, or ``python3.13t`` when it is free-threaded."""
        return self.stdlib.name

    @property
    def version_text(self) -> str:
        """``3.11.7``."""
        return ".".join(map(str, self.version))

    def inside(self, path: Path) -> str:
        """The path in its root of a file that lies at ``path`` on this machine."""
        return f"/{path.relative_to(self.root.path)}"

    def owns(self, path: str) -> bool:
        """True for a file of its standard library, by the path in an image."""
        return path.startswith(f"{self.image_stdlib}/") and not path.startswith(f"{self.image_site_packages}/")
