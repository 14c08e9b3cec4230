"""Requirements files written from a lock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, RequirementsError
from cannery.project.export import export_lock, usual_exports
from cannery.project.settings import ExportSettings
from cannery.workspace.workspace import Workspace
from tests.support.locked_projects import make_uv_project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that uv locked."""
    return make_uv_project(tmp_path)


def names(path: Path) -> set[str]:
    """The names of the requirements in a file."""
    return set(re.findall(r"^([\w-]+)==", path.read_text(), re.MULTILINE))


def test_each_file_gets_what_it_is_said_to_hold(project: Path) -> None:
    exports = {
        "all.txt": ExportSettings(extras=("colour",), groups=("test",)),
        "tests/only.txt": ExportSettings(project=False, groups=("test", "dev")),
    }
    assert export_lock(project, exports, Workspace.default()) == [project / "all.txt", project / "tests/only.txt"]
    assert names(project / "all.txt") == {"iniconfig", "colorama", "pluggy"}
    assert names(project / "tests/only.txt") == {"pluggy", "packaging"}


def test_the_first_line_says_what_made_it(project: Path) -> None:
    export_lock(project, {"requirements.txt": ExportSettings()}, Workspace.default())
    assert (project / "requirements.txt").read_text().startswith("# Made from uv.lock by `nox -s export`")


def test_two_exports_are_the_same(project: Path) -> None:
    path = project / "requirements.txt"
    export_lock(project, {path.name: ExportSettings()}, Workspace.default())
    first = path.read_bytes()
    export_lock(project, {path.name: ExportSettings()}, Workspace.default())
    assert path.read_bytes() == first


def test_nothing_is_written_when_one_cannot_be(project: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'test'"):
        export_lock(
            project,
            {"requirements.txt": ExportSettings(), "more.txt": ExportSettings(groups=("tests",))},
            Workspace.default(),
        )
    assert {path.name for path in project.iterdir()} == {"pyproject.toml", "uv.lock"}


def test_a_stale_lock_leaves_the_files_as_they_were(project: Path) -> None:
    (project / "requirements.txt").write_text("as it was")
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace(">=2", ">=2.1"))
    with pytest.raises(RequirementsError, match="uv lock"):
        export_lock(project, {"requirements.txt": ExportSettings()}, Workspace.default())
    assert (project / "requirements.txt").read_text() == "as it was"


@pytest.mark.parametrize(
    ("name", "text", "step"),
    [
        ("pyproject.toml", '[project]\nname = "x"\n', "run `uv lock`"),
        ("pyproject.toml", '[tool.poetry]\nname = "x"\n', "run `poetry lock`"),
        ("Pipfile", "", "pipenv requirements --hash"),
        ("requirements.in", "six\n", "uv pip compile --generate-hashes requirements.in"),
    ],
)
def test_without_a_lock_the_next_step_is_that_of_the_project_s_tool(
    tmp_path: Path, name: str, text: str, step: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError, match="there is no lock to export") as raised:
        export_lock(tmp_path, {"requirements.txt": ExportSettings()}, Workspace.default())
    assert step in raised.value.step


def test_extras_need_the_project(project: Path) -> None:
    with pytest.raises(ConfigurationError, match="project = true"):
        export_lock(
            project,
            {"more.txt": ExportSettings(project=False, extras=("colour",), groups=("test",))},
            Workspace.default(),
        )


def test_asking_for_nothing_is_an_error(project: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing is asked of uv\.lock"):
        export_lock(project, {"more.txt": ExportSettings(project=False)}, Workspace.default())


def test_the_usual_files_are_the_requirements_and_those_of_the_tests() -> None:
    pyproject = {
        "project": {"optional-dependencies": {"colour": [], "tests": []}},
        "dependency-groups": {"dev": [], "docs": []},
        "tool": {"poetry": {"group": {"test": {}}}},
    }
    assert usual_exports(pyproject) == {
        "requirements.txt": ExportSettings(),
        "requirements-test.txt": ExportSettings(extras=("tests",), groups=("test", "dev")),
    }
