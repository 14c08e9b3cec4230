"""Settings that can't be: refused before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.project.config import load
from cannery.recipes.image import make_image
from cannery.workspace.workspace import Workspace
from tests.support.command import assert_refused, assert_whole, cannery

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('resorces = ["data"]', "did you mean 'resources'?"),
        ('strip = "yes"', 'it is "yes", and must be true or false'),
        ('entry = "mian.py"', "did you mean 'main.py'?"),
    ],
    ids=["unknown", "of a wrong type", "an entry point that is not there"],
)
def test_a_user_is_told_in_one_message(make_project: MakeProject, setting: str, told: str) -> None:
    folder = make_project({"main.py": "", "pyproject.toml": f"[tool.cannery]\n{setting}\n"})
    assert told in assert_refused(cannery("image", cwd=folder), 2)
    assert not (folder / "dist").exists()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('[tool.cannery]\nentry = "main:start"', "defines no 'start'"),
        ('[project]\nname = "x"\nscripts = { x = "gone:main" }', "there is no module gone"),
        ('[tool.cannery]\nname = "Not / a name"', "must be a name of an image"),
        ('[tool.cannery]\ntag = "latest\\n"', "must be a tag"),
        ('[tool.cannery]\npackages = ["a/b"]', "must be a name of a module"),
        ('[tool.cannery]\nenv = { "A=B" = "c" }', "must be a name of a variable"),
        ('[tool.cannery]\nrecipe = "scrach"', "did you mean 'scratch'?"),
        ('[tool.cannery]\nrequirements = "gone.txt"', "there is no such file"),
        ('[tool.cannery]\nca-certificates = "gone.pem"', "there is no file"),
        ('[tool.cannery]\npython = "./main.py"', "there is no program"),
        ('[tool.cannery]\nresources = ["gone"]', "there is no such file or folder"),
        ('[tool.cannery]\nstdlib = ["tkintre"]', "did you mean 'tkinter'?"),
        ('[tool.cannery]\noutput = "."', "is a folder"),
        ('[tool.cannery]\noutput = "~nobody-has-this-name/x.tar"', "there is no home folder"),
        ('[tool.cannery]\nextras = ["gone"]\n[project]\nname = "x"\nversion = "1"', "there is no extra 'gone'"),
        ('[project]\nname = "x"\ndependencies = ["a b"]', "'a b' is no requirement"),
        ('[project]\nname = "x"\nrequires-python = "3"', "is no version specifier"),
        ("[tool.cannery", "not valid TOML"),
        ("tool = 3", "'tool' in"),
        ("[tool]\ncannery = 3", "'cannery' in"),
        ("[tool.cannery]\nexport = 3", "it is 3, and must be a table"),
        ("project = 3", "it is 3, and must be a table"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_the_next_step(
    make_project: MakeProject, settings: str, told: str
) -> None:
    folder = make_project({"main.py": "", "pyproject.toml": settings})
    with pytest.raises(ConfigurationError) as raised:
        make_image(load(folder), Workspace.default())
    assert told in str(raised.value)
    assert raised.value.step
    assert not (folder / "dist").exists()


def test_a_variable_that_cannot_be_is_refused_by_name(make_project: MakeProject) -> None:
    folder = make_project({"main.py": ""})
    assert "CANNERY_STRIP is wrong" in assert_refused(cannery("image", cwd=folder, CANNERY_STRIP="perhaps"), 2)


def test_a_project_that_is_not_there_is_refused(make_project: MakeProject) -> None:
    folder = make_project({})
    assert "there is no folder" in assert_refused(cannery("image", "--project", "gone", cwd=folder), 3)


def test_a_folder_with_nothing_to_run_is_refused(make_project: MakeProject) -> None:
    message = assert_refused(cannery("image", cwd=make_project({"notes.txt": ""})), 3)
    assert "no entry point found" in message
    assert "go to the project's, or name it:  --project FOLDER" in message


def test_a_python_that_is_not_there_is_refused(make_project: MakeProject) -> None:
    message = assert_refused(cannery("image", "--python", "3.99", cwd=make_project({"main.py": ""})), 5)
    assert "no Python 3.99 on this machine" in message


@pytest.mark.parametrize("version", ["2", "2.7.18", "3.9", "3.10.4"])
def test_a_python_that_is_too_old_is_refused_whether_it_is_there_or_not(
    version: str, make_project: MakeProject
) -> None:
    message = assert_refused(cannery("image", "--python", version, cwd=make_project({"main.py": ""})), 5)
    assert f"Python {version} is older than what cannery packs" in message


def test_code_that_is_no_python_is_refused_with_its_line_and_the_archive_of_before_stays(
    make_project: MakeProject,
) -> None:
    folder = make_project({"main.py": "print(1)\n"})
    assert cannery("image", cwd=folder).code == 0
    before = (folder / "dist" / "project.tar").read_bytes()
    make_project({"main.py": "if\n"})
    assert "main.py:1: invalid syntax" in assert_refused(cannery("image", cwd=folder), 3)
    assert (folder / "dist" / "project.tar").read_bytes() == before
    assert_whole(folder)
