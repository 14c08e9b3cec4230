"""Images by the recipe ``tiny``, run as they are: what was left out, nobody misses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ports import free_port
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow

NUMPY = """
    import numpy as np
    a = np.arange(12.0).reshape(3, 4)
    print(np.linalg.svd(a @ a.T)[1].round(3).tolist(), np.fft.fft([1, 2, 3]).real.tolist())
    print(np.random.default_rng(1).integers(0, 9, 3).tolist(), np.version.version, type(np).__name__)
"""


def cannery(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cannery", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=env)


def built(folder: Path, output: Path, recipe: str = "tiny", **environment: str) -> dict[str, Any]:
    done = cannery("image", "--json", "--recipe", recipe, "--output", str(output), cwd=folder, **environment)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.once
@pytest.mark.parametrize("compress", ["false", "true"])
def test_numpy_works(make_project: MakeProject, compress: str) -> None:
    folder = make_project({"main.py": NUMPY, "requirements.txt": "numpy\n"})
    done = cannery("run", "--recipe=tiny", cwd=folder, CANNERY_COMPRESS=compress)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[502.177, 3.823, 0.0] [6.0, -1.5, -1.5]\n[4, 4, 6] ")


@pytest.mark.once
def test_the_sample_is_smaller_than_from_scratch_and_works(tmp_path: Path) -> None:
    sizes = {recipe: built(ROOT, tmp_path / "sample.tar", recipe)["size"] for recipe in ("scratch", "tiny")}
    assert sizes["tiny"] < 0.8 * sizes["scratch"]
    assert cannery("run", "--recipe=tiny", "--", "show-deps", cwd=ROOT).stdout.startswith("polars ")
    helped = cannery("run", "--recipe=tiny", "--", "say-hello", "--help", cwd=ROOT)
    assert "NAME" in helped.stderr + helped.stdout


@pytest.mark.once
def test_the_same_project_gives_the_same_image_in_another_folder(make_project: MakeProject, tmp_path: Path) -> None:
    files = {"main.py": "import json, email.message, xml.dom\n", "requirements.txt": "iniconfig\n"}
    digests = {built(make_project(files, name), tmp_path / "x.tar", CANNERY_NAME="x")["digest"] for name in ("a", "b")}
    assert len(digests) == 1


def test_a_module_that_is_left_out_can_be_imported_and_names_the_setting_when_used(make_project: MakeProject) -> None:
    program = """
        import asyncio, hashlib, ssl
        print(asyncio.run(asyncio.sleep(0, 7)), hashlib.sha256(b"").hexdigest()[:4], ssl.CERT_NONE)
        ssl.create_default_context().wrap_socket(None)
    """
    settings = '[tool.cannery.tiny]\nwithout = ["ssl"]\n'
    folder = make_project({"main.py": program, "pyproject.toml": settings})
    done = cannery("run", "--recipe=tiny", cwd=folder)
    assert done.stdout == "7 e3b0 0\n"
    assert "ImportError: ssl isn't in this program: [tool.cannery.tiny] without names it" in done.stderr


def test_libraries_that_are_compressed_are_found_by_the_modules_that_need_them(make_project: MakeProject) -> None:
    program = """
        import hashlib, os, ssl, unicodedata
        print(ssl.create_default_context().get_ca_certs() != [], hashlib.new("sha512_256").name, unicodedata.name("a"))
    """
    folder = make_project({"main.py": program, "pyproject.toml": "[tool.cannery]\ncompress = true\n"})
    done = cannery("run", "--recipe=tiny", cwd=folder)
    assert done.stdout.startswith("True sha512_256 LATIN SMALL LETTER A\n"), done.stderr


@pytest.mark.once
def test_certificates_stay_out_with_tls_unless_something_names_them(make_project: MakeProject) -> None:
    settings = '[tool.cannery.tiny]\nwithout = ["ssl"]\n'
    found = []
    for name in ("", "SSL_CERT_FILE"):
        program = f"import os\nprint({name!r}, any('ca-' in name for _, _, names in os.walk('/etc') for name in names))"
        folder = make_project({"main.py": program, "pyproject.toml": settings})
        found.append(cannery("run", "--recipe=tiny", cwd=folder).stdout)
    assert found == [" False\n", "SSL_CERT_FILE True\n"]


@pytest.mark.once
def test_what_a_module_loads_by_name_is_there_when_it_is_included(make_project: MakeProject) -> None:
    program = "import sys\nprint(__import__(''.join(['col', 'orsys'])).hls_to_rgb(0, 0, 0))"
    folder = make_project({"main.py": program, "pyproject.toml": '[tool.cannery]\ninclude = ["colorsys"]\n'})
    assert cannery("run", "--recipe=tiny", cwd=folder).stdout == "(0, 0, 0)\n"
    missing = cannery("run", "--recipe=tiny", cwd=make_project({"pyproject.toml": ""}))
    assert "No module named 'colorsys' in this image: cannery left it out" in missing.stderr
    assert 'include = ["colorsys"]' in missing.stderr


@pytest.mark.once
def test_a_finder_that_is_added_later_finds_what_it_has_and_a_question_is_answered_as_ever(
    make_project: MakeProject,
) -> None:
    program = """
        import importlib.util, sys
        from importlib.machinery import ModuleSpec
        class Finder:
            def find_spec(name, path=None, target=None):
                return ModuleSpec(name, Finder) if name == "sched" else None
            def create_module(spec): return None
            def exec_module(module): module.found = True
        sys.meta_path.append(Finder)
        print(__import__("dehcs"[::-1]).found, importlib.util.find_spec("srol"[::-1] + "oc"), __import__("sys") is sys)
    """
    assert cannery("run", "--recipe=tiny", cwd=make_project({"main.py": program})).stdout == "True None True\n"


@pytest.mark.once
@pytest.mark.parametrize(("without", "share"), [("", 0.75), ('[tool.cannery.tiny]\nwithout = ["ssl"]\n', 0.55)])
def test_the_example_answers_from_all_workers(tmp_path: Path, without: str, share: float) -> None:
    example = tmp_path / "example"
    shutil.copytree(ROOT / "examples" / "random_api", example)
    with (example / "pyproject.toml").open("a") as settings:
        settings.write(f"\n{without}")
    scratch, tiny = (built(example, tmp_path / "api.tar", recipe)["size"] for recipe in ("scratch", "tiny"))
    assert tiny < share * scratch
    port = free_port()
    command = [sys.executable, "-m", "cannery", "run", "--recipe=tiny", "--", f"--port={port}", "--workers=2"]
    with subprocess.Popen(command, cwd=example, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as server:
        try:
            for _ in range(20):
                assert json.loads(_get(f"http://127.0.0.1:{port}/number"))["number"] >= 0
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=60) == 0  # Gunicorn waits 30 s for a worker that's told while it starts


def _get(url: str) -> bytes:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return bytes(response.read())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
