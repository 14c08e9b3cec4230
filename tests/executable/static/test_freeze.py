"""``invoke freeze --recipe static``: the executable alone, as the image has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cannery.executable.kit.kit import kit_python

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.executable.static.conftest import Probe

pytestmark = pytest.mark.once

PYPROJECT = '[project]\nname = "tin"\nversion = "1.0"\n'


def freeze(folder: Path, *flags: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cannery", "freeze", "--json", *flags]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_it_is_the_one_in_the_image_and_says_what_it_holds(probe: Probe, tmp_path: Path) -> None:
    done = freeze(probe.project, "--recipe=static", env=probe.environment)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    program = probe.project / "dist/probe-static"
    assert (report["path"], report["size"]) == (str(program), program.stat().st_size)
    assert program.read_bytes() == probe.program(tmp_path).read_bytes()
    assert {f"python{kit_python()}", "probe", "ssl"} <= {part["name"] for part in report["contents"]}
    assert subprocess.run([program, "libraries"], capture_output=True, text=True, check=True).stdout.startswith(
        "SQLITE"
    )


@pytest.mark.parametrize("missing", ["ziglang", "zstandard"])
def test_what_is_missing_is_named_before_any_work(missing: str, make_project: MakeProject, tmp_path: Path) -> None:
    folder = make_project({"main.py": "", "pyproject.toml": PYPROJECT})
    (tmp_path / "without").mkdir()
    (tmp_path / "without/sitecustomize.py").write_text(f"import sys\nsys.modules[{missing!r}] = None\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "without"), "CANNERY_KIT": "/nowhere"}
    refused = freeze(folder, "--recipe=static", env=env)
    assert refused.returncode == 7
    assert '[static]"' in refused.stderr


def test_the_project_s_recipe_is_taken(make_probe: Probe) -> None:
    make_probe.configure('\n[tool.cannery]\nrecipe = "static"\n')
    done = freeze(make_probe.project, env=make_probe.environment)
    assert done.returncode == 0, done.stderr
    assert (make_probe.project / "dist/probe").is_file()


@pytest.mark.parametrize(
    ("flags", "settings", "message"),
    [
        (["--recipe=statc"], "", "there is no recipe 'statc' for an executable\n  did you mean 'static'?"),
        (["--recipe=static", "--form=folder"], "", "the recipe static has no form 'folder'\nNext: leave --form out"),
        (
            ["--recipe=static"],
            "[tool.cannery]\nresources = ['data']\n",
            "resources lie beside the program, and the recipe static makes one file that unpacks nothing",
        ),
        (["--platform=linux/s390x"], "", "the recipe onefile makes no executable for linux/s390x on linux/"),
        (["--recipe=static", "--platform=linux/s390x"], "", "no static executable can be made for linux/s390x\nNext: "),
    ],
)
def test_what_it_can_t_do_is_refused(flags: list[str], settings: str, message: str, make_project: MakeProject) -> None:
    folder = make_project({"pyproject.toml": f"{PYPROJECT}{settings}", "main.py": "", "data/file": ""})
    refused = freeze(folder, *flags)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert not (folder / "dist").exists()
