"""Top-level modules of distributions, known without RECORD."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.trees.top_levels import top_levels
from cannery.trees.wheel_files import installed_tree

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

SITE = "lib/python3.11/site-packages"
RECORD = """\
a/__init__.py,sha256=x,1
a/b/c.py,,
d.py,,
_native.abi3.so,,
"with, comma/e.txt",,
../../../bin/tool.py,,
a-1.dist-info/RECORD,,
"""


def installed(folder: Path, *names: str) -> dict[str, bytes]:
    info = folder / SITE / "a-1.dist-info"
    info.mkdir(parents=True)
    for name in names:
        (info / name).write_text(RECORD if name == "RECORD" else "as in the wheel\n")
    found = {}
    for path, file in installed_tree(folder, f"/usr/local/{SITE}").files():
        with file.content.open() as stream:
            found[path.rpartition("/")[2]] = stream.read()
    return found


def test_they_are_those_of_the_files_that_a_distribution_has(tmp_path: Path) -> None:
    record = tmp_path / "RECORD"
    record.write_text(RECORD)
    assert top_levels(record) == b"_native\na\nd\n"


def test_a_wheel_that_does_not_say_them_says_them_in_the_image(tmp_path: Path) -> None:
    assert installed(tmp_path, "METADATA", "RECORD") == {
        "METADATA": b"as in the wheel\n",
        "top_level.txt": b"_native\na\nd\n",
    }


def test_a_wheel_that_says_them_is_left_alone(tmp_path: Path) -> None:
    assert installed(tmp_path, "METADATA", "RECORD", "top_level.txt")["top_level.txt"] == b"as in the wheel\n"
