"""One static file: it runs as the project does, on any Linux, and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.onefile.conftest import Frozen


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
