"""The Dockerfile of a static executable: the image that Docker makes by it has the files of cannery's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.same_image import WHEEL, assert_same_image, build_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.engine_services import Service
    from tests.support.registry import Base

pytestmark = [pytest.mark.once, pytest.mark.heavy]  # Zig compiles the C library anew, in a container

_SETTINGS = f"""
    [tool.cannery]
    recipe = "static"
    cannery-wheel = "{WHEEL}"
    build-options = ["--network=host"]
    init = true
    [tool.cannery.static]
    kit = "kit"
    packing = "none"
"""


def _built(folder: Path, environment: dict[str, str], *flags: str) -> str:
    command = [sys.executable, "-m", "cannery", "image", "--json", "--engine=docker", *flags]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    return str(report.get("id") or report["references"][0])


def test_it_has_the_same_bytes(
    make_project: MakeProject, dockerd: Service, slim_base: Base, kit: Path, cache: Path
) -> None:
    folder = make_project({"main.py": 'print("hello")\n', "pyproject.toml": _SETTINGS})
    build_wheel(folder)
    if kit.is_dir():
        shutil.copytree(kit, folder / "kit")
    else:
        shutil.copy(kit, folder / "kit")
    environment = {**os.environ, **dockerd.environment, "CANNERY_CACHE": str(cache)}
    environment.pop("CANNERY_KIT", None)
    by_docker = _built(folder, environment, f"--base={slim_base.reference}", "--builder=docker", "--tag=by-docker")
    assert_same_image(dockerd, by_docker, _built(folder, environment, "--tag=by-cannery"))
