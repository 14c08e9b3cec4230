"""Files that somebody wrote by hand stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.recipes.dockerfile.conftest import cannery

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_a_file_that_cannery_did_not_make_is_not_replaced_unless_forced(make_project: MakeProject, name: str) -> None:
    folder = make_project({"main.py": "", name: "# by hand\n"})
    refused = cannery("dockerfile", "--recipe=slim", cwd=folder)
    assert refused.returncode == 3
    assert f"error: {name} is there already, and cannery did not make it" in refused.stderr
    assert "--output Dockerfile.cannery" in refused.stderr
    assert {path.name for path in folder.iterdir()} == {"main.py", name}
    assert (folder / name).read_text() == "# by hand\n"
    assert cannery("dockerfile", "--recipe=slim", "--force", cwd=folder).returncode == 0
    assert "# by hand" not in (folder / name).read_text()


def test_beside_it_another_file_has_a_dockerignore_of_its_own(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "", "Dockerfile": "# by hand\n", ".dockerignore": "# by hand\n"})
    done = cannery("dockerfile", "--recipe=slim", "--output=Dockerfile.cannery", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "Dockerfile.cannery.dockerignore").is_file()
    assert (folder / "Dockerfile").read_text() == (folder / ".dockerignore").read_text() == "# by hand\n"
