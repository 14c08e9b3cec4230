"""One static file: it runs as the project does, on any Linux, and leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.executable.onefile.conftest import FILES, cannery, freeze

if TYPE_CHECKING:
    from tests.executable.onefile.conftest import Frozen


def run(program: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False, **more)


@pytest.fixture(scope="session")
def shown(static: Frozen, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program says of itself, with a temporary folder of its own."""
    folder = tmp_path_factory.mktemp("tmp")
    done = run(static.path, "a", "b c", env={"TMPDIR": str(folder)})
    assert done.returncode == 0, done.stderr
    assert not list(folder.iterdir()), "it left something behind"
    return {**json.loads(done.stdout), "tmp": str(folder)}


def test_it_is_one_file_that_needs_no_loader(static: Frozen) -> None:
    assert static.path.stat().st_mode & 0o777 == 0o755
    headers = subprocess.run(["readelf", "--program-headers", static.path], capture_output=True, text=True, check=True)
    assert "INTERP" not in headers.stdout


def test_arguments_data_metadata_and_what_is_loaded_by_name_are_there(shown: dict[str, Any]) -> None:
    assert shown["arguments"] == ["a", "b c"]
    assert shown["data"] == "package data\n"
    assert shown["resource"] == "a resource\n"
    assert shown["plugin"] == "found by its name"
    assert shown["version"] == "1.5"
    assert shown["encoding"] == "utf-8"


def test_processes_that_it_spawns_are_python_and_not_the_program_again(shown: dict[str, Any]) -> None:
    assert shown["doubled"] == [2, 4, 6]


def test_no_library_of_the_machine_is_loaded(shown: dict[str, Any]) -> None:
    assert shown["openssl"]
    assert not [path for path in shown["libraries"] if not path.startswith(shown["tmp"])]


def test_it_ends_on_sigterm_with_the_app_s_own_exit_code(static: Frozen, tmp_path: Path) -> None:
    command = [str(static.path), "serve"]
    with subprocess.Popen(command, env={"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert len(_using(tmp_path)) == 2  # the app, and what hands signals on to it
        process.terminate()
        assert process.wait(timeout=30) == 7
    assert not _using(tmp_path), "a process is left"
    assert not list(tmp_path.iterdir()), "it left something behind"


def _using(folder: Path) -> list[str]:
    """The processes whose program lies below ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found.append(str((process / "exe").readlink()))  # it may be gone by now
    return [program for program in found if program.startswith(f"{folder}/")]


def test_an_error_has_its_line(static: Frozen) -> None:
    done = run(static.path, "fail")
    assert done.returncode == 1
    line = next(
        number for number, text in enumerate(FILES["src/shower/cli.py"].splitlines(), 1) if "on purpose" in text
    )
    assert f'File "shower/cli.py", line {line}, in main' in done.stderr
    assert "ValueError: on purpose" in done.stderr


def test_a_module_that_was_left_out_names_the_setting(static: Frozen) -> None:
    done = run(static.path, "import", "sqlite3")
    assert "No module named 'sqlite3' in this program" in done.stderr
    assert 'include = ["sqlite3"]' in done.stderr
    never_there = run(static.path, "import", "nosuchmodule").stderr
    assert "No module named 'nosuchmodule'" in never_there
    assert "include" not in never_there


@pytest.mark.once
def test_two_folders_and_caches_give_the_same_bytes(
    static: Frozen, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "another" / "deeper"
    shutil.copytree(project, elsewhere, ignore=shutil.ignore_patterns("dist"))
    monkeypatch.setenv("CANNERY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    assert freeze(elsewhere).report["digest"] == static.report["digest"]


def test_an_unchanged_project_gives_the_same_program(static: Frozen, project: Path) -> None:
    again = freeze(project).report
    assert again["digest"] == static.report["digest"]


@pytest.mark.once
def test_the_report_tells_what_is_in_it(static: Frozen) -> None:
    parts = {part["name"]: part for part in static.report["contents"]}
    assert parts["shower"]["kind"] == "modules"
    assert parts["libc.so.6"]["kind"] == "shared library"
    assert static.report["size"] == static.path.stat().st_size
    assert sum(part["size"] for part in parts.values()) > static.report["size"]  # it's compressed


@pytest.mark.once
def test_the_sizes_of_all_parts_are_the_program(static: Frozen, project: Path) -> None:
    report = freeze(project, "--sizes").report
    parts = {(part["name"], part["kind"]): part for part in report["contents"]}
    assert sum(part["packed"] for part in parts.values()) == static.path.stat().st_size
    assert 0 < parts["shower", "modules"]["packed"] < parts["shower", "modules"]["size"]
    assert parts["encodings", "modules"]["size"] > parts["shower", "modules"]["size"]  # from the base library
    assert parts["libc.so.6", "shared library"]["size"] == next(
        part["size"] for part in static.report["contents"] if part["name"] == "libc.so.6"
    )


@pytest.mark.once
def test_sizes_are_told_as_a_table_and_refused_where_nothing_is_compressed(static: Frozen, project: Path) -> None:
    done = cannery("freeze", "--sizes", cwd=project)
    assert f"{static.path.stat().st_size:,}" in done.stdout, done.stderr
    assert "staticx's bootloader" in done.stdout
    refused = cannery("freeze", "--sizes", "--form=folder", cwd=project)
    assert "leave --sizes out" in refused.stderr
