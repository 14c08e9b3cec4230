"""A kit, and a program with which to try what it makes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.absence import absent

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit that ``CANNERY_KIT`` names, or one that is built from sources, which takes minutes."""
    if given := os.environ.get("CANNERY_KIT"):
        return Path(given)
    path = tmp_path_factory.mktemp("kit") / "python.kit"
    subprocess.run([sys.executable, "-m", "cannery", "kit", "--output", str(path)], check=True, capture_output=True)
    return path


@pytest.fixture(scope="session")
def kits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with kits for this machine and for 64-bit ARM: the one that ``CANNERY_KIT`` names, or one built now."""
    given = os.environ.get("CANNERY_KIT")
    if given and Path(given).is_dir():
        return Path(given)
    if given:
        absent(f"CANNERY_KIT names one kit, {given}, and one for linux/arm64 (name a folder of both)")
    folder = tmp_path_factory.mktemp("kits")
    for platform in ("linux/amd64", "linux/arm64"):
        command = [sys.executable, "-m", "cannery", "kit", f"--platform={platform}", "--output", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    return folder


class Probe:
    """The program below ``probe/`` as an image, and what to do with it."""

    def __init__(self, project: Path, environment: dict[str, str]) -> None:
        self.project = project
        self.environment = environment

    def build(self, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cannery", "image", "--recipe", "static", "--engine", "none"]
        return subprocess.run(
            command, cwd=self.project, env=self.environment, capture_output=True, text=True, check=check
        )

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run it as cannery runs images: read-only, as 65535, in namespaces; it may not run away."""
        command = ["timeout", "60", "prlimit", "--nproc=2000", sys.executable, "-m", "cannery", "run"]
        command += ["--recipe", "static", "--engine", "none", "--", *arguments]
        return subprocess.run(
            command, cwd=self.project, env=self.environment, capture_output=True, text=True, check=check
        )

    def program(self, folder: Path) -> Path:
        """The executable alone, taken from the image's archive."""
        with tarfile.open(self.project / "dist/probe.tar") as image:
            for member in image.getmembers():
                stream = image.extractfile(member) if "blobs/" in member.name else None
                if stream is not None and stream.read(2) == b"\x1f\x8b":
                    stream.seek(0)
                    with tarfile.open(fileobj=stream) as layer:
                        for name in layer.getnames():
                            if name.endswith("bin/probe"):
                                layer.extract(name, folder, filter="data")
                                return folder / name
        raise AssertionError

    def configure(self, text: str) -> None:
        path = self.project / "pyproject.toml"
        path.write_text((HERE / "probe/pyproject.toml").read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("static-cache")


@pytest.fixture
def make_probe(tmp_path: Path, kit: Path, cache: Path) -> Probe:
    """The program in a folder of its own, to be built with other settings."""
    project = tmp_path / "probe"
    shutil.copytree(HERE / "probe", project)
    return Probe(project, {**os.environ, "CANNERY_KIT": str(kit), "CANNERY_CACHE": str(cache)})


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory, kit: Path, cache: Path) -> Probe:
    """The program, built once."""
    project = tmp_path_factory.mktemp("probe") / "probe"
    shutil.copytree(HERE / "probe", project)
    made = Probe(project, {**os.environ, "CANNERY_KIT": str(kit), "CANNERY_CACHE": str(cache)})
    made.build()
    return made
