"""The kits that static executables are made with, and what is remembered of them."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.prerequisites import absent


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit that ``CANNERY_KIT`` names, or one that is built from sources, which takes minutes."""
    if given := os.environ.get("CANNERY_KIT"):
        return _finished(Path(given))
    path = tmp_path_factory.mktemp("kit") / "python.kit"
    subprocess.run([sys.executable, "-m", "cannery", "kit", "--output", str(path)], check=True, capture_output=True)
    return path


@pytest.fixture(scope="session")
def kits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with kits for this machine and for 64-bit ARM: the one that ``CANNERY_KIT`` names, or one built now."""
    given = os.environ.get("CANNERY_KIT")
    if given and Path(given).is_dir():
        return _finished(Path(given))
    if given:
        absent(f"CANNERY_KIT names one kit, {given}, and one for linux/arm64 (name a folder of both)")
    folder = tmp_path_factory.mktemp("kits")
    for platform in ("linux/amd64", "linux/arm64"):
        command = [sys.executable, "-m", "cannery", "kit", f"--platform={platform}", "--output", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    return folder


def _finished(kit: Path) -> Path:
    """``kit``, once nobody is building in that folder: who does holds a lock on the file ``building`` in it."""
    building = kit / "building"
    if building.exists():
        with building.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
    return kit


@pytest.fixture(scope="session")
def cache(shared_folder: Path) -> Path:
    return shared_folder / "static-cache"
