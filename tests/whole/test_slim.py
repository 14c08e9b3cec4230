"""An image on top of a real base, by the recipe ``slim``: engines and cannery's own runner run it alike."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.built_image import BuiltImage, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine_commands import EngineCommand
    from tests.support.registry import Base

pytestmark = pytest.mark.once

# setuptools is what the base has in another version; markupsafe has a library that needs glibc.
PYPROJECT = """
[project]
name = "tinned"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["markupsafe", "setuptools==75.8.0"]
scripts = {tinned = "tinned:main"}

[tool.cannery]
recipe = "slim"
resources = ["data.txt"]
"""
PROGRAM = """
import getpass, importlib.metadata, json, os, ssl, sys
from markupsafe import _speedups

def main():
    names = [found.metadata["Name"].lower() for found in importlib.metadata.distributions()]
    print(json.dumps({
        "arguments": sys.argv[1:], "source": __file__, "user": [os.getuid(), getpass.getuser()],
        "home": os.environ["HOME"], "setuptools": importlib.metadata.version("setuptools"),
        "own": importlib.metadata.version("tinned"), "pips": names.count("pip"), "copies": names.count("setuptools"),
        "data": open("/app/data.txt").read(), "authorities": len(ssl.create_default_context().get_ca_certs()) > 10,
        "python": sys.version_info[:2], "links": [os.path.islink(path) for path in ("/lib", "/bin")],
    }))
    return 3
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slim") / "project"
    (folder / "tinned").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "tinned/__init__.py").write_text(PROGRAM)
    (folder / "data.txt").write_text("data")
    return folder


@pytest.fixture(scope="session")
def slim(project: Path, slim_base: Base, shared_cache: Path) -> Iterator[BuiltImage]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANNERY_CACHE", str(shared_cache))
        patch.setenv("CANNERY_BASE", slim_base.reference)
        yield build(project, project.parent / "slim.tar")


def check(stdout: str) -> None:
    said = json.loads(stdout)
    assert said == {
        "arguments": ["a", "b c"], "source": "/app/tinned/__init__.py", "user": [65535, "app"], "home": "/tmp",
        "setuptools": "75.8.0", "own": "1.0", "pips": 1, "copies": 1, "data": "data", "authorities": True,
        "python": [3, 11], "links": [True, True],
    }  # fmt: skip


def test_engines_load_and_run_it(each_engine: EngineCommand, slim: BuiltImage) -> None:
    engine = each_engine
    engine("load", "--input", str(slim.archive))
    (details,) = json.loads(engine("image", "inspect", slim.reference).stdout)
    assert details["Id"].removeprefix("sha256:") == slim.report["id"].removeprefix("sha256:")
    done = engine.run(slim.reference, "a", "b c")
    assert done.returncode == 3, done.stderr
    check(done.stdout)
    assert engine.run("--entrypoint=/bin/sh", slim.reference, "-c", "exit 4").returncode == 4


def test_cannery_s_own_runner_runs_it(
    slim: BuiltImage, project: Path, slim_base: Base, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert slim.report["recipe"] == "slim"
    monkeypatch.setenv("CANNERY_CACHE", str(shared_cache))
    command = [sys.executable, "-m", "cannery", "run", "--base", slim_base.reference, "--", "a", "b c"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    check(done.stdout)


def test_the_archive_has_the_base_s_blobs_as_they_are(slim: BuiltImage, slim_base: Base) -> None:
    named = [layer["digest"] for layer in slim.report["layers"] if layer["name"].startswith("base-")]
    assert named
    for digest in named:
        assert (slim_base.layout / "blobs/sha256" / digest.removeprefix("sha256:")).is_file()
    assert slim.report["base"]["name"] == slim_base.reference
    assert slim.report["config"]["Labels"]["org.opencontainers.image.base.name"] == slim_base.reference


def test_skopeo_takes_it(slim: BuiltImage, tmp_path: Path) -> None:
    copy = ["skopeo", "copy", f"oci-archive:{slim.archive}", f"oci:{tmp_path / 'copy'}:1"]
    subprocess.run(copy, check=True, capture_output=True)
    (copied,) = json.loads((tmp_path / "copy/index.json").read_text())["manifests"]
    assert copied["digest"] == slim.report["digest"]


def test_one_changed_line_packs_the_app_alone_and_the_digest_comes_back(
    slim: BuiltImage, project: Path, slim_base: Base, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANNERY_CACHE", str(shared_cache))
    copy = project.parent / "changed"
    shutil.copytree(project, copy)
    flags = ("--base", slim_base.reference)
    same = build(copy, copy / "same.tar", *flags).report
    (copy / "tinned/__init__.py").write_text(f"{PROGRAM}\nCHANGED = 1\n")
    changed = build(copy, copy / "changed.tar", *flags).report
    assert same["digest"] == slim.report["digest"]
    assert {layer["name"] for layer in changed["layers"] if layer["packed"]} == {"app"}
