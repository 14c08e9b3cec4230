"""Programs as archives that a Python of the machine runs: pex and shiv. Both unpack themselves at the first start."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from cannery.comparison.peers.peer import START, PeerStage
from cannery.workspace.process import find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.workspace.process import Runner

__all__ = ["pex", "shiv"]


def pex(stage: PeerStage, target: Path, caches: Mapping[str, str], run: Runner) -> None:
    """Write a PEX file, its wheels made of what is installed."""
    command = [find_uv(), "tool", "run", "--quiet", "--python", stage.python, "pex"]
    command += ["--venv-repository", str(stage.environment), "--requirement", str(stage.requirements)]
    command += ["--sources-directory", str(stage.code), "--entry-point", f"{START}:main", "--output-file", str(target)]
    run(command, env=caches)


def shiv(stage: PeerStage, target: Path, caches: Mapping[str, str], run: Runner) -> None:
    """Write a zipapp of what is installed and of the program's own files."""
    site = target.with_name(f"{target.name}-site")
    (installed,) = stage.environment.glob("lib/python*/site-packages")
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(installed, site, ignore=shutil.ignore_patterns("__pycache__", "_virtualenv.*"))
    shutil.copytree(stage.code, site, dirs_exist_ok=True)
    command = [find_uv(), "tool", "run", "--quiet", "--python", stage.python, "shiv", "--compressed"]
    command += ["--site-packages", str(site), "--entry-point", f"{START}:main", "--output-file", str(target)]
    run(command, env=caches)
