"""Files with odd names, and what is no file, all the way to the archive."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.built_image import app_layer
from tests.support.command import assert_refused, assert_whole, cannery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

PACKAGE = {"main.py": "import pkg", "pkg/__init__.py": ""}
DEEP = "/".join(["d" * 100] * 4)
ODD = (
    "with space.txt",
    "line\nbreak.txt",
    "carriage\rreturn.txt",
    "quote'\".txt",
    "-rf",
    "back\\slash",
    "ünï ☃",
    "\x01\x1b[31mred",
    "n" * 255,
    f"{DEEP}/leaf.txt",
)


def test_odd_names_arrive_as_they_are(make_project: MakeProject) -> None:
    folder = make_project({**PACKAGE, **{f"pkg/{name}": f"this is {number}" for number, name in enumerate(ODD)}})
    outcome = cannery("image", cwd=folder)
    assert outcome.code == 0, outcome.stderr
    members = app_layer(folder / "dist" / "project.tar")
    for number, name in enumerate(ODD):
        assert members[f"app/pkg/{name}"] == f"this is {number}".encode()


@pytest.mark.parametrize("name", ["two words", "line\nbreak", "ünï ☃"])
def test_a_project_may_lie_anywhere(make_project: MakeProject, name: str) -> None:
    files = {"pyproject.toml": "[tool.cannery]\nname = 'app'\n", "main.py": "print('hello')\n", "sub/deeper/x": ""}
    folder = make_project(files, folder="plain")
    usual = cannery("image", "--json", cwd=folder).report["digest"]
    (elsewhere := folder.parent / name).parent.mkdir(exist_ok=True)
    folder.rename(elsewhere)
    report = cannery("image", "--json", cwd=elsewhere / "sub" / "deeper").report
    assert report["digest"] == usual
    assert report["archive"] == str(elsewhere / "dist" / "app.tar")
    assert_whole(elsewhere)


def test_a_project_may_lie_where_the_path_is_no_utf8(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "print('hello')\n"})
    odd = os.fsencode(folder.parent) + b"/caf\xe9"
    folder.rename(os.fsdecode(odd))
    outcome = cannery("image", cwd=folder.parent / os.fsdecode(b"caf\xe9"))
    assert outcome.code == 0, outcome.stderr
    assert_whole(folder.parent / os.fsdecode(b"caf\xe9"))


def test_a_name_that_is_no_utf8_is_refused(make_project: MakeProject) -> None:
    folder = make_project(PACKAGE)
    os.close(os.open(os.fsencode(folder / "pkg") + b"/caf\xe9", os.O_CREAT))
    assert "caf\\xe9' is not UTF-8" in assert_refused(cannery("image", cwd=folder), 3)


def test_a_module_s_name_that_leaves_no_room_for_its_bytecode_is_refused(make_project: MakeProject) -> None:
    folder = make_project({**PACKAGE, f"pkg/{'m' * 252}.py": ""})
    message = assert_refused(cannery("image", cwd=folder), 3)
    assert "is too long" in message


def test_a_module_that_is_a_link_is_taken_as_what_it_leads_to(make_project: MakeProject) -> None:
    folder = make_project({**PACKAGE, "pkg/real.py": "answer = 42"})
    (folder / "pkg" / "alias.py").symlink_to("real.py")
    assert cannery("image", cwd=folder).code == 0
    members = app_layer(folder / "dist" / "project.tar")
    assert members["app/pkg/alias.pyc"]
    assert "app/pkg/alias.py" not in members


@pytest.mark.parametrize(
    ("target", "told"),
    [("/etc/hostname", "leads out of the project"), ("loop", "leads to nothing")],
    ids=["out", "in a circle"],
)
def test_a_link_that_leads_astray_is_refused(make_project: MakeProject, target: str, told: str) -> None:
    folder = make_project(PACKAGE)
    (folder / "pkg" / "loop").symlink_to(target)
    message = assert_refused(cannery("image", cwd=folder), 3)
    assert told in message
    assert f"pkg/loop -> {target}" in message
    assert not (folder / "dist").exists()


@pytest.mark.parametrize("name", ["away/data.txt", "away"])
def test_a_resource_behind_a_link_out_of_the_project_is_refused(
    make_project: MakeProject, tmp_path: Path, name: str
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "data.txt").write_text("not yours")
    folder = make_project({"main.py": "", "pyproject.toml": f'[tool.cannery]\nresources = ["{name}"]\n'})
    (folder / "away").symlink_to(tmp_path / "outside")
    assert str(tmp_path / "outside") in assert_refused(cannery("image", cwd=folder), 3)


def test_a_source_folder_that_lies_elsewhere_is_refused(make_project: MakeProject) -> None:
    outside = make_project({"pkg/__init__.py": "", "pkg/__main__.py": ""}, folder="outside")
    folder = make_project({"readme": ""})
    (folder / "src").symlink_to(outside)
    assert "'src/pkg' lies outside the project" in assert_refused(cannery("image", cwd=folder), 3)


def test_a_socket_is_refused(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_project(PACKAGE)
    monkeypatch.chdir(folder)  # a socket's whole path may have 107 bytes and no more
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("pkg/s.sock")
        assert "'pkg/s.sock' is a socket" in assert_refused(cannery("image", cwd=folder), 3)


def test_the_archive_of_before_does_not_go_into_the_next(make_project: MakeProject) -> None:
    settings = '[tool.cannery]\nresources = ["data"]\noutput = "data/image.tar"\n'
    folder = make_project({"main.py": "", "data/x": "", "pyproject.toml": settings})
    first, second = (cannery("image", "--json", cwd=folder).report for _ in range(2))
    assert first["digest"] == second["digest"]
