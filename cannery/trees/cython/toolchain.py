"""The C compiler that builds extension modules, with its flags.

The machine's own is taken where there is one. zig needs nothing installed, and builds for other platforms and older
versions of glibc as well (zig's ``-target``, as ``aarch64-linux-gnu.2.17``).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ToolError
from cannery.workspace.compilers import COMPILERS, c_compiler, find_zig, zig_variables
from cannery.workspace.extras import installing
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
_DENSE = "-Wl,-z,noseparate-code"  # no padding between code and data, which zig doesn't know how to leave out


@dataclass(frozen=True, slots=True)
class SharedObjectCompiler:
    """A C compiler that makes shared objects."""

    command: tuple[str, ...]  # the source, the folders of headers and the output are added to it
    env: Mapping[str, str]  # variables that it needs
    key: str  # another one for another compiler, and for other flags


def find_toolchain(workspace: Workspace, target: str | None = None) -> SharedObjectCompiler:
    """The compiler that ``CC`` names, or the machine's own, or zig; only zig where there is a ``target``.

    Raises :class:`ToolError` where there is none, :class:`ConfigurationError` where ``CC`` names no program.
    """
    command = None if target else c_compiler()
    if command is not None:
        return _toolchain(command, {}, _DENSE)
    zig = find_zig()
    if zig is None:
        raise _no_compiler(target)
    return _toolchain((str(zig), "cc", *(("-target", target) if target else ())), zig_variables(workspace.cache.root))


def _toolchain(command: tuple[str, ...], env: Mapping[str, str], *more: str) -> SharedObjectCompiler:
    flags = (*_FLAGS, *more)
    programs = [Path(found).resolve() for word in command if (found := shutil.which(word))]
    key = key_of("compiler", command, flags, [stamp(program) for program in programs])
    return SharedObjectCompiler((*command, *flags), env, key)


def _no_compiler(target: str | None) -> ToolError:
    if target:
        return ToolError(
            f"only Zig compiles for target = {target!r}, and ziglang is not installed",
            step=installing("zig"),
        )
    return ToolError(
        "no C compiler found",
        evidence=f"looked for {', '.join(COMPILERS)} in {os.environ.get('PATH', '')}, and for the package ziglang",
        step=f"apt-get install gcc libc6-dev, or {installing('zig')}, which needs nothing else",
    )
