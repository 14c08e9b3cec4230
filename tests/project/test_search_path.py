"""Folders that a program adds to its search path."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from cannery.project.config import load

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('sys.path.insert(0, "lib")', ["lib"]),
        ('sys.path.append(os.path.join(os.path.dirname(__file__), "lib", "deep"))', ["lib/deep"]),
        ('sys.path.insert(0, str(Path(__file__).parent / "lib"))', ["lib"]),
        ('sys.path.insert(0, os.path.join(HERE, "../project/lib"))', ["lib"]),
        ('sys.path.append(os.path.dirname(__file__)); sys.path.append("nowhere"); sys.path.append("/usr")', []),
        ('sys.path.insert(0, "../other")', []),
    ],
)
def test_imports_start_where_code_says_so(make_project: MakeProject, line: str, found: list[str]) -> None:
    make_project({"x.py": ""}, "other")
    folder = make_project({"main.py": f"import sys\n{line}\n", "lib/deep/one.py": ""})
    assert load(folder).import_roots == (PurePosixPath(), *map(PurePosixPath, found))


def test_a_script_below_and_settings_name_folders_of_the_project(make_project: MakeProject) -> None:
    files = {
        "bin/run.py": "import sys\nsys.path.append('lib')\n",
        "lib/one.py": "",
        "site_/settings.py": "import sys\nsys.path.insert(0, str(BASE_DIR / 'apps'))\n",
        "apps/two.py": "",
        "pyproject.toml": '[tool.cannery]\nentry = "bin/run.py"\n',
    }
    roots = load(make_project(files)).import_roots
    assert roots == tuple(map(PurePosixPath, ("bin", "", "lib", "apps")))
