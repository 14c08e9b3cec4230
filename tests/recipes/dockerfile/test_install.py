"""What a Dockerfile installs from, and what it can't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.project.config import load
from cannery.recipes.dockerfile.install import installed
from cannery.recipes.dockerfile.render import render

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

DYNAMIC = '[project]\nname = "x"\nversion = "1"\ndynamic = ["dependencies"]\n'
INDEX = '[[tool.uv.index]]\nname = "own"\nurl = "https://own.example/simple"\nexplicit = true\n'


def test_files_keep_their_folders(make_project: MakeProject, workspace: Workspace) -> None:
    files = {
        "requirements/prod.txt": "-r base.txt\n-c ../c.txt\n",
        "requirements/base.txt": "six\n",
        "c.txt": "six<2\n",
    }
    text = render(load(make_project({"main.py": "print()\n", **files}), {"recipe": "slim"}), workspace).dockerfile
    assert "COPY c.txt ./\nCOPY requirements/prod.txt requirements/base.txt ./requirements/\n" in text
    assert "--requirement requirements/prod.txt" in text


def test_indexes_of_uv_come_along(make_project: MakeProject) -> None:
    project = f'[project]\nname = "x"\nversion = "1"\n{INDEX}'
    made = installed(load(make_project({"main.py": "print()\n", "pyproject.toml": project, "uv.lock": ""})))
    assert made is not None
    assert "--emit-index-url" in made.export


@pytest.mark.parametrize(
    ("files", "name", "why"),
    [
        ({"requirements.txt": "./lib\n", "lib/setup.py": ""}, "requirements.txt", "./lib"),
        ({"requirements.txt": "-f wheels\nsix\n"}, "requirements.txt", "wheels"),
        ({"pylock.toml": ""}, "pylock.toml", "pip doesn't read it"),
        ({"Pipfile": ""}, "Pipfile", "pip doesn't read it"),
        ({"environment.yml": ""}, "environment.yml", "pip doesn't read it"),
        ({"main.py": "# /// script\n# dependencies = []\n# ///\nprint()\n"}, "main.py", "pip doesn't read it"),
        ({"pyproject.toml": DYNAMIC}, "pyproject.toml", "pip doesn't read it"),
    ],
)
def test_what_pip_cannot_do_alone_is_refused(
    make_project: MakeProject, files: dict[str, str], name: str, why: str
) -> None:
    app = load(make_project({"main.py": "print()\n", **files}))
    with pytest.raises(ConfigurationError, match=f"a Dockerfile can't install from {name}") as raised:
        installed(app)
    assert why in raised.value.evidence
