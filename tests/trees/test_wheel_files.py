"""Wheels known by a record: installed once somebody reads one of their files, and not before."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.errors import RequirementsError
from cannery.image.content import OnDisk
from cannery.image.tree import File
from cannery.project.requirements import Requirements
from cannery.python.interpreter import describe
from cannery.trees.wheel_files import WheelFile, wheel_tree
from cannery.trees.wheels import dependencies
from cannery.workspace.files import OtherFilesError
from tests.support.wheels import make_wheel, only_from

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree, Tree
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

SITE = "/usr/local/lib/python3.11/site-packages"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    make_wheel(folder, "tin", files={"tin.pth": b"tins\n"})
    for name, value in {**only_from(folder), "UV_CACHE_DIR": str(tmp_path / "uv")}.items():
        monkeypatch.setenv(name, value)
    return folder


def wheels(workspace: Workspace) -> LazyTree:
    wanted = Requirements(Path("requirements.txt"), "tin==1.0\n", "requirements", True, False, False)  # noqa: FBT003
    return dependencies(wanted, describe(Path(sys.executable), workspace).target, workspace)


def text(tree: Tree, ending: str) -> bytes:
    (file,) = (file for path, file in tree.files() if path.endswith(ending))
    with file.content.open() as stream:
        return stream.read()


def test_a_tree_is_the_same_with_its_folder_gone_until_a_file_is_read(index: Path, workspace: Workspace) -> None:
    first = wheels(workspace).tree
    folder = workspace.cache.root / "dependencies"
    (installed,) = (path for path in folder.iterdir() if path.is_dir())
    shutil.rmtree(installed)
    again = wheels(workspace).tree
    assert [(path, file.content.size, file.mode) for path, file in again.files()] == [
        (path, file.content.size, file.mode) for path, file in first.files()
    ]
    assert text(again, "tin.pth") == b"tins\n"  # small files that say what is imported need no folder
    assert not installed.exists()
    assert text(again, "/tin.py") == b"answer = 42\n"
    assert installed.is_dir()
    shutil.rmtree(index)
    assert text(wheels(workspace).tree, "/tin.py") == b"answer = 42\n"


@pytest.mark.slow
def test_files_that_are_not_as_recorded_are_told(index: Path, workspace: Workspace) -> None:
    """As where a project without wheels is built on each machine."""
    before = wheels(workspace).tree
    shutil.rmtree(next(path for path in (workspace.cache.root / "dependencies").iterdir() if path.is_dir()))
    tree = wheels(workspace).tree
    shutil.rmtree(index.parent / "uv")
    (index / "tin-1.0-py3-none-any.whl").unlink()
    make_wheel(index, "tin", files={"more.py": b""})
    with pytest.raises(OtherFilesError):
        text(tree, "/tin.py")
    now = wheels(workspace).tree  # by the record of what there is now
    assert {path.rpartition("/")[2] for path in now.entries.keys() - before.entries.keys()} == {"more.py"}


def test_a_name_that_a_layer_takes_for_a_removal_is_refused() -> None:
    files = {"lib/python3.11/site-packages/a/.wh.b": WheelFile(1, "")}
    with pytest.raises(RequirementsError, match="for the removal of another file"):
        wheel_tree(files, Path, SITE)


def test_files_of_wheels_are_known_as_files_of_a_disk(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "share").mkdir()
    (tmp_path / "share/a").write_bytes(b"tin")
    files = {"share/a": WheelFile(3, "", executable=True), "bin/tool": WheelFile(1, "")}
    tree = wheel_tree(files, lambda: tmp_path, SITE)
    ((path, entry),) = tree.entries.items()
    assert path == "/usr/local/share/a"
    match entry:
        case File(content=OnDisk(path=place, size=3), mode=0o755):
            assert place == tmp_path / "share/a"
        case _:
            pytest.fail(repr(entry))
