"""A program with which to try what a kit makes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent


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
