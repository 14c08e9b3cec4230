"""The session ``tests``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from cannery.workspace.process import find_uv, run
from tests.support.nox_projects import CLASSIFIED, NOXFILE, PASSING, THIS, nox, says

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow

PROJECT = {"noxfile.py": NOXFILE, "tests/test_it.py": PASSING}
NEEDS_INICONFIG = """\
    from importlib.metadata import version

    def test_one() -> None:
        assert version("iniconfig") == "2.1.0"
"""
BUILD_SYSTEM = """\
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"
"""


def test_branches_are_measured(make_project: MakeProject) -> None:
    folder = make_project({**PROJECT, "pyproject.toml": CLASSIFIED})
    code, text = nox(folder, "-s", "tests")
    assert code == 0, text
    assert says(text, "BrPart", "1 passed", f"Session tests-{THIS} was successful")
    assert (folder / f".coverage.tests-{THIS}").is_file()


@pytest.mark.once
def test_a_python_that_is_not_there_is_skipped_even_in_ci(make_project: MakeProject) -> None:
    two = CLASSIFIED.replace("classifiers = [", 'classifiers = ["Programming Language :: Python :: 3.99", ')
    code, text = nox(make_project({**PROJECT, "pyproject.toml": two}), "-s", "tests", CI="true")
    assert code == 0, text
    assert says(text, "1 passed", "tests-3.99 skipped: Python interpreter 3.99 not found")


@pytest.mark.once
def test_a_python_behind_a_shim_is_found_where_its_manager_keeps_it(make_project: MakeProject, tmp_path: Path) -> None:
    shim, real = tmp_path / "shims/python3.97", tmp_path / "versions/3.97.0/bin/python3.97"
    for program, script in ((shim, "echo not chosen >&2; exit 127"), (real, "echo asked >> $0.log; exit 1")):
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    folder = make_project({**PROJECT, "pyproject.toml": CLASSIFIED.replace(THIS, "3.97")})
    path = f"{shim.parent}{os.pathsep}{os.environ['PATH']}"
    nox(folder, "-s", "tests", PATH=path, PYENV_ROOT=str(tmp_path))
    assert real.with_name("python3.97.log").is_file()


@pytest.mark.once
def test_a_failing_test_fails_the_session(make_project: MakeProject) -> None:
    folder = make_project({**PROJECT, "tests/test_it.py": PASSING.replace("True", "False")})
    code, text = nox(folder, "-s", "tests")
    assert code == 1
    assert "1 failed" in text


@pytest.mark.once
def test_what_follows_the_dashes_goes_to_pytest(make_project: MakeProject) -> None:
    folder = make_project({**PROJECT, "tests/test_it.py": PASSING + PASSING.replace("test_one", "test_two")})
    _, text = nox(folder, "-s", "tests", "--", "-k", "test_two")
    assert "1 passed, 1 deselected" in text


@pytest.mark.once
@pytest.mark.parametrize(
    "files",
    [
        {"requirements-test.txt": "iniconfig==2.1.0\n"},
        {"requirements.txt": "iniconfig==2.1.0\n"},
        {"pyproject.toml": '[dependency-groups]\ntest = ["iniconfig==2.1.0"]\n'},
        {"pyproject.toml": '[dependency-groups]\ndev = ["iniconfig==2.1.0"]\n'},
        {"pyproject.toml": f'{CLASSIFIED}    dependencies = ["iniconfig==2.1.0"]\n'},
    ],
    ids=["requirements-test.txt", "requirements.txt", "test group", "dev group", "project"],
)
def test_what_the_tests_need_is_installed(make_project: MakeProject, files: dict[str, str]) -> None:
    code, text = nox(make_project({**PROJECT, "tests/test_it.py": NEEDS_INICONFIG, **files}), "-s", "tests")
    assert code == 0, text


@pytest.mark.once
def test_a_package_is_installed_with_its_extra_for_tests(make_project: MakeProject) -> None:
    extra = '    [project.optional-dependencies]\n    test = ["iniconfig==2.1.0"]\n'
    files = {"pyproject.toml": CLASSIFIED + extra + BUILD_SYSTEM, "src/tinned/__init__.py": ""}
    test = NEEDS_INICONFIG + "        import tinned\n"
    code, text = nox(make_project({**PROJECT, "tests/test_it.py": test, **files}), "-s", "tests")
    assert code == 0, text


@pytest.mark.once
def test_hashes_are_checked(make_project: MakeProject) -> None:
    wrong = f"iniconfig==2.1.0 --hash=sha256:{'0' * 64}\n"
    code, text = nox(make_project({**PROJECT, "requirements-test.txt": wrong}), "-s", "tests")
    assert code == 1
    assert "ash mismatch" in text


LOCKED = """
    [project]
    name = "tinned"
    version = "1"
    requires-python = ">=3.11"
    dependencies = ["iniconfig>=2"]

    [dependency-groups]
    test = ["colorama"]
"""
OLDER = """
from importlib.metadata import version

def test_one() -> None:
    assert version("iniconfig") == "2.0.0"
    assert version("colorama") == "0.4.5"
"""


@pytest.mark.once
def test_versions_are_those_of_the_lock(make_project: MakeProject) -> None:
    folder = make_project({**PROJECT, "tests/test_it.py": OLDER, "pyproject.toml": LOCKED})
    older = ["--upgrade-package=iniconfig==2.0.0", "--upgrade-package=colorama==0.4.5"]
    run([find_uv(), "lock", f"--python={sys.executable}", *older], cwd=folder)
    code, text = nox(folder, "-s", "tests")
    assert code == 0, text
    assert says(text, "installing the versions of uv.lock", "1 passed")


@pytest.mark.once
def test_a_stale_lock_is_told(make_project: MakeProject) -> None:
    folder = make_project({**PROJECT, "pyproject.toml": LOCKED})
    run([find_uv(), "lock", f"--python={sys.executable}"], cwd=folder)
    make_project({"pyproject.toml": LOCKED.replace("iniconfig>=2", "iniconfig>=2.1")})
    code, text = nox(folder, "-s", "tests")
    assert code == 1
    assert says(text, "cannot tell the requirements from uv.lock", "Next: run `uv lock`")
