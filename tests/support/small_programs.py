"""The small programs that lie in images, made of their C: ``python -m tests.support.small_programs`` writes them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.executable.kit.toolchain import TARGETS, toolchain
from cannery.executable.static.link import LINK, WARNINGS
from cannery.workspace.cache import default_cache
from cannery.workspace.keys import package_file
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from cannery.executable.kit.toolchain import BuildTarget

__all__ = ["MADE_BY", "PROGRAMS", "file_of", "made"]

PROGRAMS: Final = package_file("trees/payload/programs")
MADE_BY: Final = "0.17.1"  # zig, whose other versions may write other bytes

_FLAGS: Final = ("-ffreestanding", "-fno-builtin", "-fno-stack-protector", "-fno-pie", "-fno-pic")


def file_of(name: str, target: BuildTarget) -> Path:
    """Where the program ``name`` for ``target`` lies."""
    return PROGRAMS / f"{name}.{target.triple.partition('-')[0]}"


def made(name: str, target: BuildTarget, workspace: Workspace) -> bytes:
    """The program ``name``, made of its C for ``target``."""
    tools = toolchain(target, workspace)
    with tempfile.TemporaryDirectory() as folder:
        objects = tools.compile([PROGRAMS / f"{name}.c"], Path(folder), (*WARNINGS, "-Werror", *_FLAGS))
        program = Path(folder, name)
        tools.run(*tools.compiler, *LINK, "-nostdlib", *map(str, objects), "-o", str(program), cwd=Path(folder))
        return program.read_bytes()


if __name__ == "__main__":
    for target in TARGETS:
        for name in ("again", "health", "init"):
            file_of(name, target).write_bytes(made(name, target, Workspace(default_cache())))
