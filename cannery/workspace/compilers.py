"""The C compilers that there are: the machine's own, and zig, which the package ziglang on PyPI brings along."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError
from cannery.workspace.use import used

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COMPILERS", "c_compiler", "find_zig", "zig_variables"]

COMPILERS: Final = ("cc", "gcc", "clang")  # in the order that they are looked for


def c_compiler() -> tuple[str, ...] | None:
    """The command of the machine's C compiler: the one that ``CC`` names, or the first of :data:`COMPILERS`.

    None where there is none. Raises :class:`ConfigurationError` where ``CC`` names no program.
    """
    if chosen := os.environ.get("CC"):
        return _chosen(chosen)
    found = next((path for name in COMPILERS if (path := shutil.which(name))), None)
    return (found,) if found else None


def find_zig() -> Path | None:
    """The path of zig in the package ziglang; None where that isn't installed."""
    found = importlib.util.find_spec("ziglang")
    folders = found.submodule_search_locations if found else None
    return next((path for folder in folders or () if (path := Path(folder, "zig")).is_file()), None)


def zig_variables(cache: Path) -> Mapping[str, str]:
    """The variables that have zig keep what it builds for itself, a C library for each target, below ``cache``.

    That folder is marked as in use. Where the user's environment names another, that one is taken.
    """
    folder = os.environ.get("ZIG_GLOBAL_CACHE_DIR") or str(cache / "zig")
    if folder == str(cache / "zig"):
        used(cache / "zig")
    return {"ZIG_GLOBAL_CACHE_DIR": folder, "ZIG_LOCAL_CACHE_DIR": folder}


def _chosen(text: str) -> tuple[str, ...]:
    command = tuple(shlex.split(text))
    if not command or shutil.which(command[0]) is None:
        raise ConfigurationError(
            f"CC={text!r}: there is no such program",
            step="correct CC, or unset it: cc, gcc, clang and zig are looked for",
        )
    return command
