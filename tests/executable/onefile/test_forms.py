"""The other forms of a program, and what settings make of them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.executable.onefile.conftest import FILES, cannery, freeze, write_project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("own_cache")]


def shows(program: Path) -> dict[str, Any]:
    done = subprocess.run([program, "a"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def with_settings(tmp_path: Path, settings: str) -> Path:
    return write_project(tmp_path, {**FILES, "pyproject.toml": f"{FILES['pyproject.toml']}\n{settings}"})


def test_a_folder_replaces_the_one_of_last_time(tmp_path: Path) -> None:
    project = write_project(tmp_path, FILES)
    for _ in range(2):
        folder = freeze(project, "--form=folder").path
        assert shows(folder / "shower")["doubled"] == [2, 4, 6]
    assert sorted(path.name for path in folder.iterdir()) == ["_internal", "shower"]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["shower-folder"]


@pytest.mark.parametrize("form", ["folder", "file"])
def test_a_folder_that_is_no_program_stays_where_it_is(form: str, tmp_path: Path) -> None:
    project = write_project(tmp_path, {**FILES, f"dist/shower-{form}/notes.txt": "mine"})
    refused = cannery("freeze", f"--form={form}", cwd=project)
    assert refused.returncode == 6
    assert "a folder of that name is there\nNext: remove it" in refused.stderr
    assert "freezing" not in refused.stderr  # no work is done first
    assert (project / f"dist/shower-{form}/notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_form_replaces_itself_and_no_other(tmp_path: Path) -> None:
    project = write_project(tmp_path, FILES)
    for form, program in (
        ("folder", "shower-folder/shower"),
        ("file", "shower-file"),
        ("folder", "shower-folder/shower"),
    ):
        freeze(project, f"--form={form}")
        assert shows(project / "dist" / program)["doubled"] == [2, 4, 6]
    assert sorted(path.name for path in (project / "dist").iterdir()) == ["shower-file", "shower-folder"]


def test_a_file_runs_as_the_folder_does(tmp_path: Path) -> None:
    frozen = freeze(write_project(tmp_path, FILES), "--form=file")
    assert frozen.path.is_file()
    shown = shows(frozen.path)
    assert (shown["doubled"], shown["resource"], shown["version"]) == ([2, 4, 6], "a resource\n", "1.5")


def test_modules_compiled_by_cython_go_in_with_what_their_sources_import(tmp_path: Path) -> None:
    folder = freeze(with_settings(tmp_path, "compile = true"), "--form=folder").path
    assert shows(folder / "shower")["doubled"] == [2, 4, 6]
    own = sorted(path.name.partition(".")[0] for path in (folder / "_internal" / "shower").glob("*.so"))
    assert own == ["__init__", "cli", "plugin"]


def test_ssl_can_be_left_out_and_says_so_when_it_is_used(tmp_path: Path) -> None:
    project = with_settings(tmp_path, 'optimize = 2\n[tool.cannery.onefile]\nwithout = ["ssl"]')
    write_project(project, {"src/shower/cli.py": USES_SSL})
    folder = freeze(project, "--form=folder").path
    assert not [path.name for path in folder.rglob("lib*") if path.name.startswith(("libssl", "libcrypto"))]
    done = subprocess.run([folder / "shower"], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        "None 0 True",
        "ssl isn't in this program: [tool.cannery.onefile] without names it",
    ]


USES_SSL = '''
    """Gone with -OO."""
    import ssl

    def main():
        print(__doc__, int(ssl.CERT_NONE), issubclass(ssl.SSLWantReadError, OSError))
        try:
            ssl.create_default_context().wrap_socket(None)
        except ImportError as error:
            print(error)
    '''


def test_a_script_s_own_functions_are_there_in_processes_that_it_spawns(tmp_path: Path) -> None:
    script = """
        import multiprocessing
        import sys

        def double(number):
            return 2 * number

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                print(pool.map(double, [1, 2]), sys.argv[1:])
        """
    frozen = freeze(write_project(tmp_path / "calc", {"main.py": script}), "--form=folder")
    done = subprocess.run([frozen.path / "calc", "-c"], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "[2, 4] ['-c']\n", done.stderr
