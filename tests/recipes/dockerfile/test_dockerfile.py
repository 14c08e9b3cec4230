"""What a recipe's Dockerfile says, and what a linter says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, ProjectError, RequirementsError
from cannery.project.config import load
from cannery.recipes.dockerfile.file import DockerfileTarget, render_files
from cannery.recipes.dockerfile.render import render
from tests.recipes.dockerfile.conftest import cannery
from tests.support.dockerfiles import PROJECTS, lint
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject
    from tests.support.registry import Base

pytestmark = pytest.mark.once

RECIPES = ("slim", "cython", "scratch")
HASHED = "iniconfig==2.0.0 --hash=sha256:" + 64 * "0" + "\n"
PINNED = "sha256:" + 64 * "a"


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("files", PROJECTS.values(), ids=PROJECTS)
def test_hadolint_finds_nothing(
    files: dict[str, str], recipe: str, make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project(files)
    assert not lint(render(load(folder, {"recipe": recipe}), workspace).dockerfile)


def test_the_linter_finds_what_is_wrong() -> None:
    assert "DL3006" in lint("FROM debian\n")


def test_dependencies_come_before_sources(make_project: MakeProject, workspace: Workspace) -> None:
    text = render(
        load(make_project({"main.py": "", "requirements.txt": HASHED}), {"recipe": "slim"}), workspace
    ).dockerfile
    assert text.index("--require-hashes") < text.index("COPY main.py /app/main.py")


def test_a_build_sees_what_goes_in_and_nothing_else(make_project: MakeProject, workspace: Workspace) -> None:
    files = {
        "main.py": "import pkg\n",
        "src/pkg/__init__.py": "",
        "requirements.txt": "-r more.txt\n",
        "more.txt": HASHED,
        ".env": "SECRET=1\n",
        "pyproject.toml": '[tool.cannery]\nresources = ["data"]\nexclude = ["*.md"]\n',
        "data/x": "",
    }
    lines = render(load(make_project(files)), workspace).dockerignore.splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "*", "!requirements.txt", "!more.txt", "!main.py", "!src/pkg/", "!data/",
        "**/__pycache__", "**/*.py[co]", "*.md", "**/*.md",
    ]  # fmt: skip


def test_the_base_is_the_oldest_python_that_the_project_allows(make_project: MakeProject, workspace: Workspace) -> None:
    project = {"main.py": "", "pyproject.toml": '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.12"\n'}
    assert "ARG BASE=python:3.12-slim\n" in render(load(make_project(project)), workspace).dockerfile


def test_a_digest_in_the_file_stays_while_its_base_does(
    make_project: MakeProject, workspace: Workspace, tmp_path: Path
) -> None:
    folder = make_project({"main.py": ""})
    target = DockerfileTarget(tmp_path / "Dockerfile")
    app = load(folder, {"recipe": "slim", "base": "python:3.11-slim"})
    (tmp_path / "Dockerfile").write_text(f"ARG BASE=python:3.11-slim@{PINNED}\n")
    assert f"ARG BASE=python:3.11-slim@{PINNED}\n" in render_files(app, workspace, target).dockerfile
    other = load(folder, {"recipe": "slim", "base": "python:3.12-slim"})
    assert "ARG BASE=python:3.12-slim\n" in render_files(other, workspace, target).dockerfile


def test_pinning_asks_the_registry(make_project: MakeProject, workspace: Workspace, slim_base: Base) -> None:
    reference = slim_base.reference
    app = load(make_project({"main.py": ""}), {"recipe": "slim", "base": reference})
    text = render_files(app, workspace, DockerfileTarget(None), pin=True).dockerfile
    assert f"ARG BASE={reference}@sha256:" in text


@pytest.mark.parametrize(("flags", "message"), [
    ({"recipe": "onefil"}, "no Dockerfile"),
    ({"recipe": "slim", "base": "oci:somewhere"}, "can't begin with"),
])  # fmt: skip
def test_what_no_dockerfile_can_have(
    flags: dict[str, str], message: str, make_project: MakeProject, workspace: Workspace
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        render(load(make_project({"main.py": ""}), flags), workspace)


@pytest.mark.slow
def test_it_is_written_and_then_up_to_date_until_something_changes(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "", "pyproject.toml": '[tool.cannery]\nrecipe = "slim"\n'})
    assert cannery("dockerfile", "--check", cwd=folder).returncode
    assert not cannery("dockerfile", cwd=folder).returncode
    assert (folder / ".dockerignore").is_file()
    assert not cannery("dockerfile", "--check", cwd=folder).returncode
    (folder / "pyproject.toml").write_text('[tool.cannery]\nrecipe = "slim"\nuser = 1000\n')
    checked = cannery("dockerfile", "--check", cwd=folder)
    assert checked.returncode
    assert "+USER 1000:1000" in checked.stderr
    assert "Next: write it anew: python -m cannery dockerfile" in checked.stderr


def test_the_dockerfile_of_the_sample_is_up_to_date(workspace: Workspace) -> None:
    app = load(ROOT)
    target = DockerfileTarget.of(app, None)
    target.check(render_files(app, workspace, target), "invoke dockerfile")


def test_a_dockerfile_that_is_not_there_is_out_of_date(make_project: MakeProject, workspace: Workspace) -> None:
    app = load(make_project({"main.py": ""}))
    with pytest.raises(ProjectError, match="there is no"):
        DockerfileTarget.of(app, None).check(render(app, workspace), "invoke dockerfile")


def test_a_dependency_without_wheels_for_alpine_is_named(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "", "requirements.txt": "torch==2.5.1\n"})
    with pytest.raises(RequirementsError, match="torch"):
        render(load(folder, {"recipe": "slim", "base": "python:3.12-alpine"}), workspace)
