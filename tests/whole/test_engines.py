"""Docker, Podman and skopeo take the archive, and the image runs as it should, hardened."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.built_image import BuiltImage
    from tests.support.engine_commands import EngineCommand

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def engine(each_engine: EngineCommand, sample: BuiltImage) -> EngineCommand:
    """Each engine in turn, the sample loaded."""
    done = each_engine("load", "--input", str(sample.archive), check=False)
    assert done.returncode == 0, done.stderr
    return each_engine


def test_the_engine_s_image_id_is_the_one_that_was_computed(engine: EngineCommand, sample: BuiltImage) -> None:
    (details,) = json.loads(engine("image", "inspect", sample.reference).stdout)
    assert details["Id"].removeprefix("sha256:") == sample.report["id"].removeprefix("sha256:")


def test_the_program_runs_hardened(engine: EngineCommand, sample: BuiltImage) -> None:
    done = engine.run(sample.reference, "say-hello", "--name", "alice")
    assert (done.returncode, done.stdout) == (0, "Hello, alice!\n"), done.stderr


def test_polars_is_really_loaded(engine: EngineCommand, sample: BuiltImage) -> None:
    assert engine.run(sample.reference, "show-deps").stdout == f"polars {version('polars')}\n"


def test_the_program_s_exit_code_comes_back(engine: EngineCommand, sample: BuiltImage) -> None:
    assert engine.run(sample.reference, "say-goodbye").returncode == 2


def test_there_is_no_shell(engine: EngineCommand, sample: BuiltImage) -> None:
    done = engine.run("--entrypoint=/bin/sh", sample.reference, "-c", "true")
    assert done.returncode == 127


def test_it_runs_as_a_numeric_user_who_is_nobody(engine: EngineCommand, sample: BuiltImage) -> None:
    program = "import os, getpass; print(os.getuid(), os.getgid(), os.getgroups(), getpass.getuser())"
    done = engine.run("--entrypoint=/usr/local/bin/python3", sample.reference, "-c", program)
    assert done.stdout == "65535 65535 [65535] app\n", done.stderr


def test_skopeo_copies_the_archive_both_ways(sample: BuiltImage, tmp_path: Path) -> None:
    if shutil.which("skopeo") is None:
        absent("skopeo")
    for kind in ("oci-archive", "docker-archive"):
        target = tmp_path / kind
        command = ["skopeo", "copy", f"{kind}:{sample.archive}", f"oci:{target}:copy"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    (copied,) = json.loads((tmp_path / "oci-archive" / "index.json").read_text())["manifests"]
    assert copied["digest"] == sample.report["digest"]
