"""Which Python goes into the image."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from cannery.errors import ConfigurationError, RuntimeTreeError
from cannery.image.platform import Platform
from cannery.project.config import load
from cannery.project.interpreter import find_python, interpreter_for
from cannery.python.interpreter import describe
from cannery.workspace.process import Completed, run

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject


def project(make_project: MakeProject, text: str) -> Path:
    return make_project({"main.py": "", "pyproject.toml": text})


def test_the_running_python_is_described_by_its_installation(workspace: Workspace) -> None:
    found = describe(Path(sys.executable), workspace)
    assert found.version == sys.version_info[:3]
    assert found.name == f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert (found.stdlib / "os.py").is_file()
    assert not found.executable.is_symlink()
    assert found.image_site_packages.startswith(f"/usr/local/lib/{found.name}/")


@pytest.mark.parametrize("base", [f"{sys.base_prefix}/bin/python3", "/usr/bin/python3"])
def test_a_virtual_environment_is_described_by_its_base(base: str, workspace: Workspace, tmp_path: Path) -> None:
    if not Path(base).is_file():
        pytest.skip(f"there is no {base}")
    run([base, "-m", "venv", "--without-pip", str(tmp_path / "venv")])
    try:
        described = describe(Path(base), workspace)
    except RuntimeTreeError as refused:
        pytest.skip(refused.what)
    assert describe(tmp_path / "venv/bin/python", workspace) == described


def test_it_is_asked_once(workspace: Workspace) -> None:
    asked: list[str] = []

    def counting(command: Any, **more: Any) -> Completed:
        asked.append(command[0])
        return run(command, **more)

    counted = replace(workspace, run=counting)
    assert describe(Path(sys.executable), counted) == describe(Path(sys.executable), counted)
    assert len(asked) == 1


def test_the_python_that_runs_cannery_is_taken_when_it_fits(make_project: MakeProject) -> None:
    for requires in ("", ">=3.11"):
        app = load(project(make_project, f'[project]\nname = "x"\nversion = "1"\nrequires-python = "{requires}"\n'))
        assert find_python(app, run) == Path(sys.executable)


def test_a_python_that_is_not_there_is_refused_with_the_next_step(
    make_project: MakeProject, workspace: Workspace
) -> None:
    app = load(project(make_project, '[tool.cannery]\npython = "3.99"\n'))
    with pytest.raises(RuntimeTreeError, match=r"no Python 3\.99 on this machine") as raised:
        interpreter_for(app, workspace)
    assert "uv python install 3.99" in raised.value.step


def test_a_path_that_is_no_program_is_refused(make_project: MakeProject, workspace: Workspace) -> None:
    app = load(project(make_project, '[tool.cannery]\npython = "./python"\n'))
    with pytest.raises(ConfigurationError, match="there is no program"):
        interpreter_for(app, workspace)


def test_a_program_that_is_no_python_is_refused(make_project: MakeProject, workspace: Workspace) -> None:
    app = load(project(make_project, '[tool.cannery]\npython = "/usr/bin/true"\n'))
    with pytest.raises(RuntimeTreeError, match="does not answer as a Python does"):
        interpreter_for(app, workspace)


def test_a_python_for_another_system_is_not_packed(
    make_project: MakeProject, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    mac = replace(describe(Path(sys.executable), workspace), platform=Platform("darwin", "arm64"))
    monkeypatch.setattr("cannery.project.interpreter.describe", lambda *_: mac)
    with pytest.raises(RuntimeTreeError, match="is a Python for darwin: an image needs one for linux") as raised:
        interpreter_for(load(project(make_project, "")), workspace)
    assert 'runtime = "debian:trixie"' in raised.value.step


def test_a_specifier_that_is_none_is_refused(make_project: MakeProject, workspace: Workspace) -> None:
    app = load(project(make_project, '[project]\nname = "x"\nversion = "1"\nrequires-python = "three"\n'))
    with pytest.raises(ConfigurationError, match="no version specifier"):
        interpreter_for(app, workspace)
