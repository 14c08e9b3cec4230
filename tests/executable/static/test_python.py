"""Which Python an executable has: that of the kit which fits the project best."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from cannery.errors import ConfigurationError
from cannery.executable.kit.kit import Kit, kit_python
from cannery.executable.kit.sources import known_pythons
from cannery.executable.kit.toolchain import native_target
from cannery.project.config import load
from cannery.python.interpreter import describe
from cannery.recipes.static_program.kit import kit_for, notes_on_kit, python_for

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject
    from tests.executable.static.conftest import Probe

pytestmark = pytest.mark.once

NEWEST = known_pythons()[kit_python()]


@pytest.mark.parametrize(
    ("requires", "setting", "pinned", "minor"),
    [
        ("", "", "", kit_python()),
        (">=3.8", "", "", kit_python()),
        ("<3.12", "", "", "3.11"),
        (">=3.8", 'python = "3.11"', "3.13", "3.11"),
        (">=3.8", 'python = "/usr/bin/python3"', "", kit_python()),
        (">=3.8", "", "3.11", "3.11"),
        (">=3.8", "", "3.12", kit_python()),  # a kit that there is none of: the project allows others
        ("<3.13", "", "3.12", "3.11"),
    ],
)
def test_the_project_chooses_the_python(
    make_project: MakeProject, requires: str, setting: str, pinned: str, minor: str
) -> None:
    project = f'[project]\nname = "x"\nversion = "1"\nrequires-python = "{requires}"\n[tool.cannery]\n{setting}\n'
    pin = {".python-version": pinned} if pinned else {}
    assert python_for(load(make_project({"pyproject.toml": project, "main.py": "", **pin}))) == minor


def test_a_setting_that_names_a_python_without_a_kit_is_refused(make_project: MakeProject) -> None:
    folder = make_project({"pyproject.toml": '[tool.cannery]\npython = "3.12"\n', "main.py": ""})
    with pytest.raises(ConfigurationError, match=r"no kit of Python 3\.12\n.*\nNext: take a kit of 3\.11 or"):
        python_for(load(folder))


@pytest.mark.parametrize(
    ("pinned", "setting", "noted"),
    [("3.12", "", True), ("3.11", "", False), ("", "", False), ("3.12", 'python = "3.11"', False)],
)
def test_another_python_than_the_project_pins_is_told(
    make_project: MakeProject, workspace: Workspace, pinned: str, setting: str, *, noted: bool
) -> None:
    files = {"pyproject.toml": f"[tool.cannery]\n{setting}\n", "main.py": "", ".python-version": pinned}
    interpreter = replace(describe(Path(sys.executable), workspace), version=(3, 11, 2))
    kit = Kit(Path("nowhere"), "a kit", native_target(), interpreter, ())
    notes = notes_on_kit(load(make_project(files)), kit)
    assert [".python-version names Python 3.12" in note for note in notes] == [True] * noted


def test_a_project_for_a_later_python_is_refused_before_a_kit_is_built(
    make_project: MakeProject, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CANNERY_KIT", raising=False)
    project = '[project]\nname = "late"\nversion = "1.0"\nrequires-python = ">=3.99"\n'
    folder = make_project({"pyproject.toml": project, "late.py": "", "main.py": "import late\n"})
    with pytest.raises(ConfigurationError) as refused:
        kit_for(load(folder), "linux/amd64", workspace)
    assert str(refused.value).splitlines() == [
        f"the project asks for Python >=3.99, and the kit that cannery builds has Python {NEWEST.version}",
        "  requires-python = '>=3.99'",
        "Next: take the recipe tiny, scratch or onefile, which pack any Python, or change requires-python",
    ]


def test_a_kit_with_another_python_than_the_setting_s_is_refused(make_probe: Probe) -> None:
    make_probe.configure('\n[tool.cannery]\npython = "3.12"\n')
    refused = make_probe.build(check=False)
    assert refused.returncode == ConfigurationError.exit_code
    given = make_probe.environment["CANNERY_KIT"]
    assert f"python = '3.12', but the kit {given} has Python {NEWEST.version}" in refused.stderr
    assert "Next: take the recipe tiny, scratch or onefile" in refused.stderr
