"""``invoke image --unpack``: the root file system of an image, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command import cannery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


@pytest.fixture
def folder(make_project: MakeProject) -> Path:
    return make_project({"main.py": "print('hello')\n"})


@pytest.mark.slow
def test_it_has_the_files_of_the_image(folder: Path) -> None:
    report = cannery("image", "--engine=none", "--json", "--unpack=out/root", cwd=folder).report
    root = folder / "out/root"
    found = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(found) == sum(layer["files"] for layer in report["layers"])
    assert (root / "app/main.pyc").is_file()
    assert [path.name for path in root.parent.iterdir()] == ["root"]  # and nothing that it was made in


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--unpack=."], "is there already"),
        (["--unpack=root", "--platform=linux/amd64,linux/arm64"], "--unpack is for one platform"),
        (["--unpack=root", "--builder=docker"], "--unpack is for images that cannery builds itself"),
        (["--unpack=root", "--all"], "--unpack and --explain are for one image"),
    ],
)
def test_where_it_can_not_be_unpacked_that_is_said(folder: Path, flags: list[str], complaint: str) -> None:
    done = cannery("image", "--engine=none", *flags, cwd=folder)
    assert done.code == 2
    assert complaint in done.stderr
    assert "Next: " in done.stderr
    assert [path.name for path in folder.iterdir()] == ["main.py"]
