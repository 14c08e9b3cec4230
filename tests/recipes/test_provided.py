"""An import that nothing provides ends a build, unless the settings allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ProjectError
from cannery.project.config import load
from cannery.recipes.scratch import scratch

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


def test_an_import_that_nothing_provides_ends_the_build(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import os\nimport idna\nfrom yaml import load\n"})
    with pytest.raises(ProjectError, match=r"^main.py:2 imports idna, and no requirement brings it\n") as raised:
        scratch(load(folder), workspace)
    assert "main.py:3 imports yaml" in raised.value.evidence
    assert "allow-missing = ['idna', 'yaml']" in raised.value.step
    make_project({"pyproject.toml": '[tool.cannery]\nallow-missing = ["idna", "yaml"]\n'})
    assert scratch(load(folder), workspace).notes == ()


def test_a_module_that_exclude_leaves_out_is_told_as_such(make_project: MakeProject, workspace: Workspace) -> None:
    settings = '[tool.cannery]\nexclude = ["helper.py"]\n'
    folder = make_project({"main.py": "import helper", "helper.py": "", "pyproject.toml": settings})
    with pytest.raises(ProjectError, match=r"main\.py:1 imports helper, and .* exclude leaves it out"):
        scratch(load(folder), workspace)


def test_a_module_of_python_that_its_build_lacks_is_told_as_such(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project({"main.py": "import msvcrt\n"})  # as a Python on Linux has it: not
    with pytest.raises(
        ProjectError, match=r"imports msvcrt, and the Python that goes in was built without it"
    ) as raised:
        scratch(load(folder), workspace)
    assert raised.value.step.startswith("take one that has it: another recipe than static")


def test_one_that_may_fail_is_told(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "def f():\n    import idna\nf()\n"})
    (note,) = scratch(load(folder), workspace).notes
    assert note.startswith("main.py:2 imports idna, and nothing provides that")
    make_project({"main.py": "def f():\n    import idna\n    import zope\n    import idna\nf()\n"})
    (note,) = scratch(load(folder), workspace).notes
    assert note.startswith("main.py:2 imports idna, zope (line 3), and nothing provides them")
