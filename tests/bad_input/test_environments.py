"""Unusual environments: the same image comes of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.bad_input.command import COMMAND, assert_whole, cannery, finished, image_digest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

FILES = {
    "pyproject.toml": "[tool.cannery]\nname = 'app'\n",
    "main.py": "import tin\nprint('\\d is no escape', 1 is 1)\n",
    "requirements.txt": "tin\n",
}


@pytest.mark.parametrize(
    "changes",
    [
        {"HOME": None},
        {"HOME": "/nonexistent"},
        {"TERM": None},
        {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"},
        {"PYTHONDEVMODE": "1"},
        {"TMPDIR": "/nonexistent"},
        {"VIRTUAL_ENV": "/nonexistent", "CONDA_PREFIX": "/nonexistent"},
    ],
    ids=lambda changes: " ".join(changes),
)
def test_an_environment_changes_nothing(make_project: MakeProject, changes: dict[str, str | None]) -> None:
    usual = image_digest(make_project(FILES))
    odd = make_project(FILES, folder="ünüsual")
    outcome = cannery("image", "--refresh", cwd=odd, **changes)
    assert outcome.code == 0, outcome.stderr
    assert usual in outcome.stdout
    assert all(line.endswith((" …", " \\u2026")) for line in outcome.stderr.splitlines())
    assert_whole(odd)


def test_what_pythonpath_names_does_not_go_in(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project(FILES)
    usual = image_digest(project)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "tin.py").write_text("raise SystemExit('the wrong one')\n")
    (tmp_path / "more" / "sitecustomize.py").write_text("import tin_which_is_not_there\n" if False else "extra = 1\n")
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(tmp_path / "more"))))
    assert image_digest(project, PYTHONPATH=path) == usual


def test_a_umask_that_lets_nobody_else_read_changes_nothing(make_project: MakeProject, cache: Path) -> None:
    project = make_project(FILES)
    usual = image_digest(project)
    outcome = finished([*COMMAND, "image"], cwd=project, umask=0o077, env={**os.environ, "CANNERY_CACHE": str(cache)})
    assert usual in outcome.stdout
    assert (project / "dist" / "app.tar").stat().st_mode & 0o777 == 0o600


def test_a_folder_below_the_project_will_do(make_project: MakeProject) -> None:
    project = make_project({**FILES, "docs/deep/x": ""})
    assert image_digest(project / "docs" / "deep") == image_digest(project)
    assert not (project / "docs" / "deep" / "dist").exists()


def test_a_path_as_long_as_the_system_takes(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project(FILES)
    usual = image_digest(project)
    room = os.pathconf("/", "PC_PATH_MAX") - len(str(tmp_path)) - 400
    deep = tmp_path.joinpath(*["d" * 200] * (room // 201))
    deep.parent.mkdir(parents=True)
    project.rename(deep)
    assert image_digest(deep) == usual
    assert_whole(deep)
