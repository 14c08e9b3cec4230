"""``cannery cythonize``: packages and wheels with no source."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

from cannery.workspace.process import find_uv, run
from tests.support.command import assert_refused, cannery

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow

PROJECT = {
    "pyproject.toml": """
        [project]
        name = "tinned-fish"
        version = "1.0"
        requires-python = ">=3.11"
        scripts = {fish = "fish.cli:main"}
        optional-dependencies = {extra = ["iniconfig"]}

        [build-system]
        requires = ["setuptools>=61"]
        build-backend = "setuptools.build_meta"

        [tool.setuptools.package-data]
        fish = ["*.txt"]

        [tool.cannery.cython]
        exclude = ["fish.soft"]
    """,
    "src/fish/__init__.py": "",
    "src/fish/cli.py": """
        from importlib.resources import files

        from fish import soft

        def main():
            print((files("fish") / "word.txt").read_text(), soft.WORD, __file__)
    """,
    "src/fish/soft.py": "WORD = 'soft'\n",
    "src/fish/word.txt": "hello",
    "tests/test_fish.py": "",
}
TAG = f"cp3{sys.version_info.minor}"


def cythonize(folder: Path, *flags: str) -> dict[str, Any]:
    report: dict[str, Any] = cannery("cythonize", "--json", *flags, cwd=folder).report
    return report


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project(PROJECT)


def test_the_compiled_package_can_be_imported_as_it_stands(project: Path) -> None:
    before = files(project)
    report = cythonize(project)
    assert set(report["modules"]) == {path for path in files(project / "build") if path.endswith(".so")}
    assert report["size"] == sum((project / "build" / path).stat().st_size for path in report["modules"])
    command = [sys.executable, "-c", "from fish.cli import main; main()"]
    said = run(command, env={"PYTHONPATH": str(project / "build")}).stdout
    assert said.startswith(f"hello soft {project / 'build' / 'fish' / 'cli'}.")
    assert {path for path in files(project) - before if not path.startswith("build/")} == set()
    assert not [path for path in files(project / "build") if path.endswith((".py", ".c"))]
    assert "build/fish/soft.pyc" in files(project)


@pytest.mark.once
def test_a_module_that_is_no_longer_compiled_leaves_nothing_behind_and_the_rest_stays(
    make_project: MakeProject,
) -> None:
    folder = make_project({"main.py": "print(1)", "build/other.txt": "mine"})
    cythonize(folder)
    make_project({"pyproject.toml": "[tool.cannery.cython]\nexclude = ['main']\n"})
    cythonize(folder)
    assert files(folder / "build") == {"main.pyc", "other.txt"}


@pytest.mark.once
def test_a_library_needs_no_entry_point(make_project: MakeProject) -> None:
    folder = make_project({"one/__init__.py": "", "two/__init__.py": "", "tests/__init__.py": ""})
    assert {path.partition("/")[0] for path in cythonize(folder)["modules"]} == {"one", "two"}


def test_a_wheel_has_no_source_and_installs_and_runs(project: Path, tmp_path: Path) -> None:
    before = files(project)
    wheel = Path(cythonize(project, "--wheel")["path"])
    assert files(project) - before == {wheel.relative_to(project).as_posix()}
    assert not [name for name in names(wheel) if name.endswith((".py", ".c", ".pyx"))]
    assert {"fish/soft.pyc", "fish/word.txt", "tinned_fish-1.0.dist-info/RECORD"} <= names(wheel)
    assert parse_wheel_filename(wheel.name)[3] <= set(sys_tags())
    run([find_uv(), "venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv")])
    run([find_uv(), "pip", "install", "--python", str(tmp_path / "venv"), f"{wheel}[extra]"])
    assert run([str(tmp_path / "venv" / "bin" / "fish")]).stdout.startswith("hello soft ")
    check = "import importlib.metadata as m; print(m.version('tinned-fish'), m.version('iniconfig') > '')"
    assert run([str(tmp_path / "venv" / "bin" / "python"), "-c", check]).stdout == "1.0 True\n"


@pytest.mark.once
def test_a_wheel_is_the_same_from_another_folder(project: Path, tmp_path: Path) -> None:
    other = shutil.copytree(project, tmp_path / "a" / "longer" / "name")
    first, second = (Path(cythonize(folder, "--wheel")["path"]) for folder in (project, other))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.once
def test_a_wheel_for_another_platform_says_so(project: Path) -> None:
    wheel = Path(cythonize(project, "--wheel", "--target", "aarch64-linux-gnu.2.28", "--output", "out")["path"])
    assert wheel == project / "out" / f"tinned_fish-1.0-{TAG}-{TAG}-manylinux_2_28_aarch64.whl"
    assert f"fish/cli.cpython-3{sys.version_info.minor}-aarch64-linux-gnu.so" in names(wheel)


@pytest.mark.once
def test_a_project_that_makes_no_wheel_is_refused(make_project: MakeProject) -> None:
    outcome = cannery("cythonize", "--wheel", cwd=make_project({"main.py": ""}))
    assert "makes no wheel" in assert_refused(outcome, 3)


@pytest.mark.once
def test_a_backend_that_fails_is_quoted(make_project: MakeProject) -> None:
    files = {"setup.py": "raise SystemExit('no wheel today')\n", "main.py": ""}
    message = assert_refused(cannery("cythonize", "--wheel", cwd=make_project(files)), 3)
    assert "no wheel today" in message


@pytest.mark.once
def test_people_are_told_what_to_do_with_it(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "print('hello')\n"})
    said = cannery("cythonize", cwd=folder).stdout
    assert said.startswith("build  1 extension modules, ")
    assert said.endswith("Next: PYTHONPATH=build python\n")
    done = subprocess.run([sys.executable, "build/main.pyc"], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "hello\n"


@pytest.mark.once
def test_json_is_all_there_is_on_standard_output(make_project: MakeProject) -> None:
    folder = make_project({"main.py": ""})
    assert json.loads(cannery("cythonize", "--json", cwd=folder).stdout)["path"] == str(folder / "build")
