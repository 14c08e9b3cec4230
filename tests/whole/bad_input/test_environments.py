"""Unusual environments: the same image comes of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.command import COMMAND, assert_whole, cannery, finished, image_digest
from tests.support.wheels import only_from
from tests.whole.bad_input.conftest import FAST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

FILES = {
    "pyproject.toml": "[tool.cannery]\nname = 'app'\n",
    "main.py": "import tin\nprint('\\d is no escape', 1 is 1)\n",
    "requirements.txt": "tin\n",
}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, warm: Path, index: Path) -> str:
    """The digest that comes of it in the usual environment."""
    project = tmp_path_factory.mktemp("usual")
    for name, text in FILES.items():
        (project / name).write_text(text)
    return image_digest(project, CANNERY_CACHE=str(warm), **only_from(index), **FAST)


@pytest.mark.parametrize(
    "changes",
    [
        {"HOME": None, "TERM": None, "LANG": None},
        {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "VIRTUAL_ENV": "/nonexistent"},
        {"HOME": "/dev/null"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"},
        {"PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"},
    ],
    ids=" ".join,
)
def test_an_environment_changes_nothing(make_project: MakeProject, usual: str, changes: dict[str, str | None]) -> None:
    odd = make_project(FILES, folder="ünüsual")
    outcome = cannery("image", "--refresh", cwd=odd, **changes)
    assert outcome.code == 0, outcome.stderr
    assert usual in outcome.stdout
    assert all(line.endswith((" …", " \\u2026")) for line in outcome.stderr.splitlines())
    assert_whole(odd)


def test_what_pythonpath_names_does_not_go_in(make_project: MakeProject, usual: str, tmp_path: Path) -> None:
    project = make_project(FILES)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "tin.py").write_text("raise SystemExit('the wrong one')\n")
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(tmp_path / "more"))))
    assert image_digest(project, PYTHONPATH=path) == usual


def test_a_umask_that_lets_nobody_else_read_changes_nothing(make_project: MakeProject, usual: str, cache: Path) -> None:
    project = make_project(FILES)
    outcome = finished([*COMMAND, "image"], cwd=project, umask=0o077, env={**os.environ, "CANNERY_CACHE": str(cache)})
    assert usual in outcome.stdout
    assert (project / "dist" / "app.tar").stat().st_mode & 0o777 == 0o600


def test_a_folder_below_the_project_will_do(make_project: MakeProject, usual: str) -> None:
    project = make_project({**FILES, "docs/deep/x": ""})
    assert image_digest(project / "docs" / "deep") == usual
    assert not (project / "docs" / "deep" / "dist").exists()


def test_a_path_as_long_as_the_system_takes(make_project: MakeProject, usual: str, tmp_path: Path) -> None:
    project = make_project(FILES)
    room = os.pathconf("/", "PC_PATH_MAX") - len(str(tmp_path)) - 400
    deep = tmp_path.joinpath(*["d" * 200] * (room // 201))
    deep.parent.mkdir(parents=True)
    project.rename(deep)
    assert image_digest(deep) == usual
    assert_whole(deep)
