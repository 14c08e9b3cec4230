"""Images whose Python comes from elsewhere: from Debian's packages and out of images, for this platform and another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cannery.image.media.archive import Archive
from cannery.image.media.pull import pull
from cannery.image.platform import Platform
from cannery.workspace.cache import Cache
from tests.support.built_image import build
from tests.support.command import COMMAND, cannery
from tests.support.emulator import on_arm64, require_qemu
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.registry import Base

pytestmark = [pytest.mark.once, pytest.mark.slow]

STATUS = "/var/lib/dpkg/status.d/"
PROJECT = {
    "requirements.txt": "msgspec==0.20.0\n",
    "main.py": """
        import json, platform, sqlite3, ssl, sys, zoneinfo
        import msgspec

        print(json.dumps({
            "python": sys.version.split()[0],
            "machine": platform.machine(),
            "tls": ssl.OPENSSL_VERSION.split()[0],
            "sqlite": sqlite3.connect(":memory:").execute("select 6 * 7").fetchone()[0],
            "zone": str(zoneinfo.ZoneInfo("Europe/Zurich")),
            "wheel": msgspec.json.decode(b"[1]"),
        }))
    """,
}


def run(project: Path, *flags: str, arm64: bool = False) -> dict[str, Any]:
    """What the program prints, run as ``cannery run`` runs images."""
    command = [*COMMAND, "run", *flags]
    done = subprocess.run(
        on_arm64(*command) if arm64 else command, cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module", params=["scratch", "tiny"])
def flags(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return (f"--recipe={request.param}", "--runtime=debian:trixie")


def test_debian_s_python_for_this_machine(flags: tuple[str, ...], make_project: MakeProject) -> None:
    found = run(make_project(PROJECT), *flags)
    assert found["python"].startswith("3.13.")
    assert (found["machine"], found["tls"], found["sqlite"]) == (os.uname().machine, "OpenSSL", 42)
    assert (found["zone"], found["wheel"]) == ("Europe/Zurich", [1])


@pytest.mark.skipif(os.uname().machine == "aarch64", reason="it's this machine's own platform")
def test_debian_s_python_for_another_machine(flags: tuple[str, ...], make_project: MakeProject) -> None:
    require_qemu()
    project = make_project(PROJECT)
    assert run(project, *flags, "--platform=linux/arm64", arm64=True) == {**run(project, *flags), "machine": "aarch64"}


def test_scanners_are_told_which_packages_have_files_in_the_image(make_project: MakeProject, tmp_path: Path) -> None:
    image = build(make_project(PROJECT), tmp_path / "image.tar", "--runtime=debian:trixie", "--recipe=tiny")
    told = {path.removeprefix(STATUS) for path in image.files("runtime") if path.startswith(STATUS)}
    assert {"libc6", "libpython3.13-stdlib", "libsqlite3-0", "libssl3t64", "python3.13-minimal"} <= told
    assert told.isdisjoint({"base-files", "libgomp1", "libreadline8t64", "netbase"})  # unpacked, and not needed
    assert "/etc/os-release" in image.files("runtime")


def test_several_platforms_are_one_index_whose_app_layer_is_the_same_blob(
    make_project: MakeProject, tmp_path: Path
) -> None:
    require_qemu()
    project = make_project(PROJECT)
    flags = ("--runtime=debian:trixie", "--platform=linux/amd64,linux/arm64")
    report = build(project, tmp_path / "image.tar", *flags).report
    both = report["platforms"]
    assert [each["platform"] for each in both] == ["linux/amd64", "linux/arm64"]
    layers = [{layer["name"]: layer["digest"] for layer in each["layers"]} for each in both]
    assert layers[0]["app"] == layers[1]["app"]
    assert layers[0]["runtime"] != layers[1]["runtime"]
    for each in both:
        found = pull(Archive(tmp_path / "image.tar"), Platform.parse(each["platform"]), Cache(tmp_path / "cache"))
        assert (str(found.digest), str(found.manifest)) == (report["digest"], each["digest"])
    assert run(project, *flags)["machine"] == os.uname().machine


def test_a_machine_that_is_no_linux_builds_for_linux(make_project: MakeProject) -> None:
    require_qemu()
    project = make_project({**PROJECT, ".python-version": "3.11\n"})
    flags = ("--recipe=tiny", "--platform=linux/arm64")
    command = [sys.executable, "-m", "tests.support.no_linux", "image", *flags]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert run(project, *flags, arm64=True)["python"].startswith("3.11.")


def test_without_a_runtime_another_platform_has_packages_of_the_same_version(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project({"main.py": "print('hello')\n", ".python-version": "3.13\n"})
    image = build(project, tmp_path / "image.tar", "--platform=linux/arm64")
    assert image.report["platform"] == "linux/arm64"
    assert "/usr/local/bin/python3.13" in image.files("runtime")


def test_a_python_out_of_an_image(make_project: MakeProject, slim_base: Base) -> None:
    project = make_project({"main.py": "import sys; print('{\"python\": %d}' % sys.version_info[1])\n"})
    assert run(project, f"--runtime={slim_base.reference}") == {"python": 11}


def test_compiled_for_another_machine(make_project: MakeProject) -> None:
    require_qemu()
    project = make_project(
        {
            "main.py": "from package import module\nmodule.main()\n",
            "package/__init__.py": "",
            "package/module.py": "import json\n\ndef main():\n    print(json.dumps({'file': __file__[-27:]}))\n",
        }
    )
    found = run(project, "--compile", "--runtime=debian:bookworm", "--platform=linux/arm64", arm64=True)
    assert found == {"file": "cpython-311-aarch64-linux-gnu.so"[-27:]}


def test_a_python_that_the_project_excludes_is_refused(make_project: MakeProject) -> None:
    project = make_project(
        {
            "main.py": "print(1)\n",
            "pyproject.toml": '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.14"\n',
        }
    )
    outcome = cannery("image", "--runtime=debian:trixie", cwd=project)
    assert outcome.code == 2
    assert "the project asks for Python >=3.14, and the runtime debian:trixie has Python 3.13" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_this_machine_s_python_is_for_no_other_platform(make_project: MakeProject) -> None:
    outcome = cannery(
        "image", "--runtime=machine", "--platform=linux/s390x", cwd=make_project({"main.py": "print(1)\n"})
    )
    assert outcome.code == 2
    assert 'runtime = "machine" is a Python for' in outcome.stderr
