"""The stand-ins have what the official images have, where they have it."""

from __future__ import annotations

import json
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.registry import Base

pytestmark = pytest.mark.once


def _files(base: Base) -> set[str]:
    index = json.loads((base.layout / "index.json").read_bytes())
    blobs = base.layout / "blobs" / "sha256"
    manifest = json.loads((blobs / index["manifests"][0]["digest"].removeprefix("sha256:")).read_bytes())
    (layer,) = manifest["layers"]
    with tarfile.open(blobs / layer["digest"].removeprefix("sha256:")) as archive:
        return {name.removeprefix("./") for name in archive.getnames()}


def test_python_lies_where_the_official_image_has_it_and_has_pip(slim_base: Base) -> None:
    assert slim_base.reference.endswith("/library/python:3.11-slim")
    present = _files(slim_base)
    assert {"usr/local/bin/python3", "usr/local/bin/python3.11", "usr/local/bin/pip", "etc/debian_version"} <= present
    assert "usr/bin/gcc" not in present


def test_the_registry_serves_it(slim_base: Base) -> None:
    command = ["skopeo", "inspect", "--tls-verify=false", f"docker://{slim_base.reference}"]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert answer["Os"] == "linux"
    assert any(variable.startswith("PYTHON_VERSION=3.11.") for variable in answer["Env"])


def test_the_full_image_has_a_compiler(full_base: Base) -> None:
    assert {"usr/bin/gcc", "usr/local/include/python3.11/Python.h", "usr/local/bin/pip"} <= _files(full_base)
