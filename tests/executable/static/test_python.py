"""Which Python an executable has: the kit's, if the project allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.project.config import load
from cannery.recipes.static_program.kit import kit_for

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject
    from tests.executable.static.conftest import Probe

pytestmark = pytest.mark.once


def test_a_project_for_a_later_python_is_refused_before_a_kit_is_built(
    make_project: MakeProject, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CANNERY_KIT", raising=False)
    project = '[project]\nname = "late"\nversion = "1.0"\nrequires-python = ">=3.12"\n'
    folder = make_project({"pyproject.toml": project, "late.py": "", "main.py": "import late\n"})
    with pytest.raises(ConfigurationError) as refused:
        kit_for(load(folder), "linux/amd64", workspace)
    assert str(refused.value).splitlines() == [
        "the project asks for Python >=3.12, and the kit that cannery builds has Python 3.11.2",
        "  requires-python = '>=3.12'",
        "Next: take the recipe tiny, scratch or onefile, which pack any Python, or change requires-python",
    ]


def test_a_kit_with_another_python_than_the_setting_s_is_refused(make_probe: Probe) -> None:
    make_probe.configure('\n[tool.cannery]\npython = "3.12"\n')
    refused = make_probe.build(check=False)
    assert refused.returncode == ConfigurationError.exit_code
    assert f"python = '3.12', but the kit {make_probe.environment['CANNERY_KIT']} has Python 3.11" in refused.stderr
    assert "Next: take the recipe tiny, scratch or onefile" in refused.stderr
