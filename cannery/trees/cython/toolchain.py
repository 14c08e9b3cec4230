"""Which C compiler builds extension modules, and what it's told.

It's the machine's own where there is one. ziglang from PyPI needs nothing installed, and builds for other platforms and
older C libraries as well (Zig's ``-target``, as ``aarch64-linux-gnu.2.17``).
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError, ToolError
from cannery.workspace.files import stamp
from cannery.workspace.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.workspace.workspace import Workspace

__all__ = ["SharedObjectCompiler", "find_toolchain"]

# Small, without symbols and debugging information, and without anything that names the machine or the folder.
_FLAGS = (
    "-shared", "-fPIC", "-Os", "-g0", "-s", "-fwrapv", "-fvisibility=hidden", "-DNDEBUG", "-Wl,--build-id=none", "-w",
)  # fmt: skip
_DENSE = "-Wl,-z,noseparate-code"  # no padding between code and data, which Zig doesn't know how to leave out
_USUAL = ("cc", "gcc", "clang")


@dataclass(frozen=True, slots=True)
class SharedObjectCompiler:
    """A C compiler that makes shared objects."""

    command: tuple[str, ...]  # to which the source, the folders of headers and the output are added
    env: Mapping[str, str]
    key: str  # changes when the compiler does, or what it's told


def find_toolchain(workspace: Workspace, target: str | None = None) -> SharedObjectCompiler:
    """The compiler that ``CC`` names, or the machine's own, or Zig; only Zig where there's a ``target``.

    Raises :class:`ToolError` where there is none.
    """
    if target is None and (chosen := os.environ.get("CC")):
        return _toolchain(_chosen(chosen), {}, _DENSE)
    found = None if target else next((path for name in _USUAL if (path := shutil.which(name))), None)
    if found:
        return _toolchain((found,), {}, _DENSE)
    zig = _zig()
    if zig is None:
        raise _no_compiler(target)
    folder = str(workspace.cache.root / "zig")
    env = {"ZIG_GLOBAL_CACHE_DIR": folder, "ZIG_LOCAL_CACHE_DIR": folder}
    return _toolchain((str(zig), "cc", *(("-target", target) if target else ())), env)


def _toolchain(command: tuple[str, ...], env: Mapping[str, str], *more: str) -> SharedObjectCompiler:
    flags = (*_FLAGS, *more)
    programs = [Path(found).resolve() for word in command if (found := shutil.which(word))]
    key = key_of("compiler", command, flags, [stamp(program) for program in programs])
    return SharedObjectCompiler((*command, *flags), env, key)


def _chosen(text: str) -> tuple[str, ...]:
    command = tuple(shlex.split(text))
    if not command or shutil.which(command[0]) is None:
        raise ConfigurationError(
            f"CC={text!r}: there is no such program",
            step="correct CC, or unset it: cc, gcc, clang and zig are looked for",
        )
    return command


def _zig() -> Path | None:
    """The program that the package ziglang brings."""
    found = importlib.util.find_spec("ziglang")
    folders = found.submodule_search_locations if found else None
    return next((path for folder in folders or () if (path := Path(folder, "zig")).is_file()), None)


def _no_compiler(target: str | None) -> ToolError:
    if target:
        return ToolError(
            f"only Zig compiles for target = {target!r}, and ziglang is not installed",
            step='install it: pip install "cannery[zig]"',
        )
    return ToolError(
        "no C compiler found",
        evidence=f"looked for {', '.join(_USUAL)} in {os.environ.get('PATH', '')}, and for the package ziglang",
        step='install one: apt-get install gcc libc6-dev, or pip install "cannery[zig]", which needs nothing else',
    )
