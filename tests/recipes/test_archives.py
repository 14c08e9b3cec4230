"""Which files an image's parts were fetched as is told by their lock, and by the tags that installed wheels have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.project.requirements import Requirements
from cannery.recipes.archives import archives_of_wheels
from cannery.workspace.cache import Cache
from cannery.workspace.process import run
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.once

MANYLINUX = "numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
MUSL = "numpy-2.1.0-cp311-cp311-musllinux_1_2_x86_64.whl"
WINDOWS = "numpy-2.1.0-cp312-cp312-win_amd64.whl"
LOCK = f"""
lock-version = "1.0"

[[packages]]
name = "numpy"
version = "2.1.0"
sdist = {{ url = "https://files.example/numpy-2.1.0.tar.gz", hashes = {{ sha256 = "{"0" * 64}" }} }}
wheels = [
  {{ url = "https://files.example/a/{MANYLINUX}", hashes = {{ sha256 = "{"1" * 64}" }} }},
  {{ url = "https://files.example/b/{MUSL}", hashes = {{ sha256 = "{"2" * 64}" }} }},
  {{ name = "{WINDOWS}", url = "https://files.example/c", hashes = {{ sha256 = "{"3" * 64}" }} }},
]

[[packages]]
name = "fish-tank"
version = "1.0"
wheels = [{{ url = "https://files.example/fish_tank-1.0-py3-none-any.whl?x=1" }}]
"""


def found(tags: Mapping[str, str], folder: Path, text: str = LOCK) -> dict[str, tuple[str, str]]:
    requirements = Requirements(Path("lock"), text, "pylock", locked=True, universal=True, hashed=True)
    entries = {
        f"/site-packages/{name}.dist-info/WHEEL": File(Inline(f"Wheel-Version: 1.0\n{lines}".encode()))
        for name, lines in tags.items()
    }
    wheels = LazyTree(str(sorted(tags.items())), lambda: Tree(entries))
    workspace = Workspace(Cache(folder), run)
    first = archives_of_wheels(requirements, wheels, workspace)
    assert archives_of_wheels(requirements, wheels, workspace) == first  # as remembered
    return {name: (archive.name, archive.sha256) for name, archive in first.items()}


@pytest.mark.parametrize(
    ("tags", "archive"),
    [
        ("Tag: cp311-cp311-manylinux_2_17_x86_64\nTag: cp311-cp311-manylinux2014_x86_64\n", (MANYLINUX, "1" * 64)),
        ("Tag: cp311-cp311-manylinux_2_17_x86_64\n", (MANYLINUX, "1" * 64)),  # as who repairs wheels may leave it
        ("Tag: cp311-cp311-musllinux_1_2_x86_64\r\nBuild: 1\r\n", (MUSL, "2" * 64)),
        ("Tag: cp313-cp313-linux_x86_64\n", ("numpy-2.1.0.tar.gz", "0" * 64)),  # built from its source
    ],
)
def test_a_wheel_is_known_by_its_tags(tags: str, archive: tuple[str, str], tmp_path: Path) -> None:
    assert found({"numpy-2.1.0": tags}, tmp_path) == {"numpy": archive}


def test_what_the_lock_has_no_digest_for_is_not_told(tmp_path: Path) -> None:
    assert found({"fish_tank-1.0": "Tag: py3-none-any\n", "other-1": "Tag: nonsense\n"}, tmp_path) == {}
    assert archives_of_wheels(None, LazyTree("none", Tree), Workspace(Cache(tmp_path), run)) == {}


def test_an_index_that_does_not_tell_whose_digests_there_are_is_told(tmp_path: Path) -> None:
    text = f"tin==1 --hash=sha256:{'0' * 64}\n"
    source = tmp_path / "requirements.txt"
    options = ("--no-index",)
    requirements = Requirements(
        source, text, "requirements", locked=True, universal=False, hashed=True, options=options
    )
    said: list[str] = []
    workspace = Workspace(Cache(tmp_path / "cache"), run, lambda title, *_: said.append(title))
    assert archives_of_wheels(requirements, LazyTree("none", Tree), workspace) == {}
    assert said[-1].startswith("the index doesn't tell whose digests these are")
