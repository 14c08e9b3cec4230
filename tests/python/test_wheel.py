"""Trees become wheels that installers take, and wheels become trees."""

from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.tags import Tag

from cannery.errors import MachineError, ProjectError
from cannery.image.content import Inline
from cannery.image.tree import File, Tree
from cannery.python.wheel import read_wheel, write_wheel
from cannery.workspace.process import find_uv, run
from tests.support.tree_contents import read

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

TAG = Tag("py3", "none", "any")
METADATA = "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n"
TREE = Tree(
    {
        "/shop/__init__.py": File(Inline(b"value = 7\n")),
        '/shop/a, "b".txt': File(Inline(b"")),
        "/shop/tool": File(Inline(b"#!/bin/sh\n"), 0o755),
        "/shop-1.0.dist-info/METADATA": File(Inline(METADATA.encode())),
    }
)


def test_a_wheel_has_the_tree_with_what_it_says_of_itself(tmp_path: Path) -> None:
    path = write_wheel(TREE, tmp_path, TAG)
    assert path.name == "shop-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        record = archive.read("shop-1.0.dist-info/RECORD").decode().splitlines()
        assert "Tag: py3-none-any" in archive.read("shop-1.0.dist-info/WHEEL").decode().splitlines()
    assert names[-1] == "shop-1.0.dist-info/RECORD"
    assert len(record) == len(names)
    assert record[-1] == "shop-1.0.dist-info/RECORD,,"
    assert "shop/__init__.py,sha256=ZsURpaXn-ErlVy8iamO0BmoU3m4ZZX6i83OanlzeeCY,10" in record
    assert any(line.startswith('"shop/a, ""b"".txt",sha256=') for line in record)


def test_a_wheel_that_is_read_is_the_tree_again(tmp_path: Path) -> None:
    again = read_wheel(write_wheel(TREE, tmp_path, TAG))
    assert {path: (read(file), file.mode) for path, file in again.files()} == {
        path: (read(file), file.mode) for path, file in TREE.files()
    }


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_wheel(TREE, tmp_path, TAG).read_bytes()
    assert write_wheel(Tree(dict(reversed([*TREE.entries.items()]))), tmp_path, TAG).read_bytes() == first


def test_an_installer_takes_it(tmp_path: Path) -> None:
    path = write_wheel(TREE, tmp_path, TAG)
    target = tmp_path / "site"
    run([find_uv(), "pip", "install", "-q", "--offline", f"--python={sys.executable}", f"--target={target}", str(path)])
    assert (target / "shop/__init__.py").read_text() == "value = 7\n"
    assert (target / "shop/tool").stat().st_mode & 0o100


def test_a_tree_without_metadata_is_no_wheel(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no metadata"):
        write_wheel(Tree({"/deep/shop-1.0.dist-info/METADATA": File(Inline(b""))}), tmp_path, TAG)


def test_a_wheel_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"cannot read .*/none\.whl"):
        read_wheel(tmp_path / "none.whl")
