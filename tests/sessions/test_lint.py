"""The session ``lint``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.workspace.process import run
from tests.support.nox_projects import NOXFILE, nox

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CLEAN = {"noxfile.py": NOXFILE, "app.py": '"""An app."""\n\nname: str = "tin"\n'}


def test_clean_code_passes(make_project: MakeProject) -> None:
    code, text = nox(make_project(CLEAN), "-s", "lint")
    assert code == 0, text
    assert "lint-imports" not in text


@pytest.mark.once
def test_the_readme_s_own_files_pass(make_project: MakeProject) -> None:
    tasks, noxfile = re.findall(r"```python\n(from cannery\.(?:tasks|sessions) .*?)```", README, re.DOTALL)
    code, text = nox(make_project({**CLEAN, "noxfile.py": noxfile, "tasks.py": tasks}), "-s", "lint")
    assert code == 0, text


@pytest.mark.once
@pytest.mark.parametrize(
    ("dirt", "said"),
    [
        ('"""An app."""\n\nimport os\n', "F401"),
        ('"""An app."""\n\nname: str  =  "tin"\n', "would be reformatted"),
        ('"""An app."""\n\nname: str = 3\n', "Incompatible types"),
        ('"""An app."""\n\n\ndef untyped(name):\n    """Nothing."""\n', "missing a type annotation"),
    ],
    ids=["ruff", "format", "mypy", "mypy --strict"],
)
def test_each_tool_has_its_say(make_project: MakeProject, dirt: str, said: str) -> None:
    code, text = nox(make_project({**CLEAN, "app.py": dirt}), "-s", "lint")
    assert code == 1
    assert said in text


@pytest.mark.once
def test_import_contracts_are_held(make_project: MakeProject) -> None:
    files = {
        "noxfile.py": NOXFILE,
        "app/__init__.py": "",
        "app/low.py": '"""Low."""\n\nfrom app import high\n\n__all__ = ["high"]\n',
        "app/high.py": "",
        "pyproject.toml": """\
            [tool.importlinter]
            root_package = "app"

            [[tool.importlinter.contracts]]
            name = "high is above low"
            type = "layers"
            layers = ["app.high", "app.low"]
        """,
    }
    code, text = nox(make_project(files), "-s", "lint")
    assert code == 1
    assert "high is above low BROKEN" in text


@pytest.mark.once
def test_the_project_s_lint_group_says_which_versions(make_project: MakeProject) -> None:
    pyproject = '[dependency-groups]\nlint = ["ruff==0.14.0"]\n'
    folder = make_project({**CLEAN, "pyproject.toml": pyproject})
    assert nox(folder, "-s", "lint")[0] == 0
    assert run([str(folder / ".nox/lint/bin/ruff"), "--version"]).stdout == "ruff 0.14.0\n"


@pytest.mark.once
def test_mypy_checks_what_its_configuration_names(make_project: MakeProject) -> None:
    pyproject = '[tool.mypy]\nfiles = ["app.py"]\n'
    untyped = '"""Not checked."""\n\n\ndef untyped(name):\n    """Nothing."""\n'
    code, text = nox(make_project({**CLEAN, "pyproject.toml": pyproject, "old.py": untyped}), "-s", "lint")
    assert code == 0, text
