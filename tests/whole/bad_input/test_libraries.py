"""Shared libraries that can't be found."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.command import assert_refused, assert_whole, cannery
from tests.support.wheels import make_wheel, only_from

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject


@pytest.fixture
def extension(tmp_path: Path) -> bytes:
    """A shared library that needs one which nobody has."""
    (tmp_path / "x.c").write_text("int gone(void); int here(void) { return gone(); }\n")
    absent = ["gcc", "-shared", "-fPIC", "-Wl,-soname,libdoesnotexist.so.1", "-o", "libgone.so", "-xc", "-"]
    subprocess.run(absent, cwd=tmp_path, input=b"int gone(void) { return 1; }", check=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "x.so", "x.c", "-L.", "-lgone"], cwd=tmp_path, check=True)
    return (tmp_path / "x.so").read_bytes()


def test_of_an_app_is_named_with_who_needs_it(make_project: MakeProject, extension: bytes) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": ""})
    (folder / "pkg" / "native.so").write_bytes(extension)
    message = assert_refused(cannery("image", cwd=folder), 5)
    assert "the shared library libdoesnotexist.so.1 can't be found\n  /app/pkg/native.so needs it" in message
    assert "allow-missing = ['libdoesnotexist.so.1']" in message.splitlines()[-1]
    assert not (folder / "dist").exists()


def test_of_a_wheel_is_named_with_who_needs_it(make_project: MakeProject, tmp_path: Path, extension: bytes) -> None:
    make_wheel(tmp_path, "brine", files={"brine_native/x.so": extension})
    folder = make_project({"main.py": "import brine", "requirements.txt": "brine"})
    message = assert_refused(cannery("image", cwd=folder, **only_from(tmp_path)), 5)
    assert "libdoesnotexist.so.1" in message
    assert "/site-packages/brine_native/x.so needs it" in message


def test_is_let_through_where_the_project_says_so(make_project: MakeProject, extension: bytes) -> None:
    settings = '[tool.cannery]\nallow-missing = ["libdoesnotexist.so.1"]\n'
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": "", "pyproject.toml": settings})
    (folder / "pkg" / "native.so").write_bytes(extension)
    outcome = cannery("image", cwd=folder)
    assert outcome.code == 0, outcome.stderr
    assert_whole(folder)
