"""The Dockerfile whose stage runs cannery: its image has the files that cannery's own has, byte for byte."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

import certifi
import pytest

from cannery import __version__
from cannery.errors import ConfigurationError
from cannery.project.config import load
from cannery.recipes.dockerfile.render import Rendered, render
from cannery.recipes.dockerfile.wheel import wheel_of_cannery
from tests.recipes.dockerfile.conftest import built, cannery
from tests.support.dockerfiles import PROJECTS, lint
from tests.support.same_image import WHEEL, assert_same_image, build_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject
    from tests.support.engine_services import Service
    from tests.support.registry import Base

pytestmark = pytest.mark.once


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the cannery that is tested."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def with_wheel(shower: Path, wheel: Path, tmp_path: Path) -> Path:
    """A project that brings the wheel of cannery along."""
    folder = shutil.copytree(shower, tmp_path / "shower")
    (folder / "vendor").mkdir()
    shutil.copy(wheel, folder / "vendor")
    shutil.copy(certifi.where(), folder / "bundle.pem")  # which a machine may have changed
    _set(folder, f'cannery-wheel = "vendor/{WHEEL}"', 'health = ":8000/health"', 'ca-certificates = "bundle.pem"')
    return folder


def _set(folder: Path, *lines: str) -> None:
    path = folder / "pyproject.toml"
    path.write_text(path.read_text().replace("[tool.cannery]\n", "\n".join(["[tool.cannery]", *lines, ""])))


@pytest.fixture
def in_docker(dockerd: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    for name, value in {**dockerd.environment, "CANNERY_ENGINE": "docker"}.items():
        monkeypatch.setenv(name, value)
    return dockerd


def test_tiny_has_the_same_bytes_with_the_same_python(with_wheel: Path, in_docker: Service, slim_base: Base) -> None:
    flags = ["--recipe=tiny", f"--base={slim_base.reference}"]
    by_docker = built(*flags, "--builder=docker", "--tag=by-docker", cwd=with_wheel)["id"]
    by_cannery = built(f"--runtime={slim_base.reference}", "--recipe=tiny", cwd=with_wheel)["references"][0]
    assert_same_image(in_docker, by_docker, by_cannery)


@pytest.mark.parametrize("recipe", ["tiny", "static"])
@pytest.mark.parametrize("name", ["a script", "every setting", "compiled, and not locked"])
def test_hadolint_finds_nothing(name: str, recipe: str, make_project: MakeProject, workspace: Workspace) -> None:
    files = PROJECTS[name]
    assert not lint(_rendered(make_project(files), workspace, recipe=recipe).dockerfile)


def test_a_build_sees_what_cannery_reads_and_nothing_else(make_project: MakeProject, workspace: Workspace) -> None:
    files = {
        "main.py": "import lib\n",
        "requirements.txt": "-r more.txt\n./lib\n",
        "more.txt": "iniconfig\n",
        "lib/pyproject.toml": '[project]\nname = "lib"\nversion = "1"\n',
        "lib/lib.py": "",
        "pyproject.toml": '[tool.cannery]\nca-certificates = "ours/bundle.pem"\n',
        "ours/bundle.pem": "",
        ".env": "SECRET=1\n",
    }
    made = _rendered(make_project(files), workspace, recipe="tiny")
    lines = [line for line in made.dockerignore.splitlines() if line.startswith("!")]
    assert lines == [
        "!pyproject.toml", "!ours/bundle.pem", "!requirements.txt", "!more.txt", "!lib/", f"!{WHEEL}", "!main.py",
    ]  # fmt: skip
    assert "COPY pyproject.toml requirements.txt more.txt ./\nCOPY ours/bundle.pem ./ours/\nCOPY lib/ ./lib/\n" in (
        made.dockerfile
    )


def test_settings_that_the_file_does_not_have_are_passed_on(make_project: MakeProject, workspace: Workspace) -> None:
    project = '[tool.cannery]\noptimize = 1\nbuilder = "docker"\nruntime = "machine"\n'
    folder = make_project({"main.py": "print()\n", "pyproject.toml": project})
    text = _rendered(folder, workspace, recipe="tiny", strip=True, optimize=2, tag="other").dockerfile
    given = "CANNERY_STRIP=true CANNERY_OPTIMIZE=2 CANNERY_NAME=project"
    assert f" && {given} UV_SYSTEM_CERTS=true /cannery/bin/cannery image --recipe=tiny" in text


def test_packages_are_those_of_the_extras_that_the_recipe_needs(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project({"main.py": "print()\n"})
    text = _rendered(folder, workspace, recipe="static", compile=True).dockerfile
    assert [name for name in ("cannery", "cython", "static", "registry") if f"$locked/{name}.txt" in text] == [
        "cython",
        "static",
    ]
    assert "FROM ${BASE} AS build" in text  # Zig is the compiler
    assert "FROM ${TOOLS} AS build" in _rendered(folder, workspace, recipe="tiny", compile=True).dockerfile


def test_without_a_kit_in_the_project_it_is_said_what_that_costs(
    make_project: MakeProject, workspace: Workspace
) -> None:
    made = _rendered(make_project({"main.py": "print()\n"}), workspace, recipe="static")
    assert [note for note in made.notes if note.startswith("the kit is built from its sources in the stage")]


def test_what_lies_outside_the_project_is_refused(make_project: MakeProject, workspace: Workspace) -> None:
    project = '[tool.cannery.static]\nkit = "../python.kit#sha256=' + 64 * "a" + '"\n'
    folder = make_project({"main.py": "print()\n", "pyproject.toml": project})
    with pytest.raises(ConfigurationError, match=r"outside the project: .*/python\.kit"):
        _rendered(folder, workspace, recipe="static")


def test_the_hash_of_a_released_cannery_stays(make_project: MakeProject, workspace: Workspace) -> None:
    app = load(make_project({"main.py": "print()\n"}), {"recipe": "tiny"})
    pinned = f"cannery=={__version__} --hash=sha256:{64 * 'a'} --hash=sha256:{64 * 'b'}"
    assert wheel_of_cannery(app, workspace, f"RUN echo '{pinned}' >cannery.txt\n").requirement == pinned


def test_the_hash_of_a_released_cannery_is_asked_for(
    make_project: MakeProject, workspace: Workspace, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cannery.recipes.dockerfile.wheel._installed_from", lambda: None)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    index = make_project({"cannery/index.html": f'<a href="{wheel.as_uri()}#sha256={digest}">{WHEEL}</a>'}, "index")
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.as_uri())
    app = load(make_project({"main.py": "print()\n"}), {"recipe": "tiny"})
    assert wheel_of_cannery(app, workspace).requirement == f"cannery=={__version__} --hash=sha256:{digest}"


def test_one_whose_hash_the_index_does_not_tell_is_refused(
    make_project: MakeProject, workspace: Workspace, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cannery.recipes.dockerfile.wheel._installed_from", lambda: None)
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    app = load(make_project({"main.py": "print()\n"}), {"recipe": "tiny"})
    with pytest.raises(ConfigurationError, match="tells no hash"):
        wheel_of_cannery(app, workspace)


@pytest.mark.parametrize(
    ("name", "why"),
    [("none.whl", "there is no file"), ("cannery-0.0.1-py3-none-any.whl", "by its name it's cannery 0.0.1")],
)
def test_what_is_no_wheel_of_this_cannery_is_refused(
    make_project: MakeProject, workspace: Workspace, name: str, why: str
) -> None:
    folder = make_project({"main.py": "print()\n", "cannery-0.0.1-py3-none-any.whl": ""})
    app = load(folder, {"recipe": "tiny", "cannery_wheel": name})
    with pytest.raises(ConfigurationError) as raised:
        wheel_of_cannery(app, workspace)
    assert why in raised.value.evidence
    assert "uv build --wheel" in raised.value.step


def test_one_that_is_not_released_says_what_to_do(make_project: MakeProject) -> None:
    done = cannery("dockerfile", "--recipe=tiny", cwd=make_project({"main.py": "print()\n"}))
    assert done.returncode == 2
    assert "the one that runs here is none" in done.stderr


def _rendered(folder: Path, workspace: Workspace, **flags: object) -> Rendered:
    (folder / WHEEL).touch()
    return render(load(folder, {"cannery_wheel": WHEEL, **flags}), workspace)
