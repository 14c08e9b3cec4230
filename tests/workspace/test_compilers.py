"""The C compilers of a machine, and zig."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.workspace.compilers import COMPILERS, c_compiler, find_zig, zig_variables

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs, with nothing in it."""
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _program(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_first_of_the_usual_compilers_is_taken(programs: Path) -> None:
    found = [_program(programs, name) for name in reversed(COMPILERS)]
    assert c_compiler() == (found[-1],)


def test_the_one_that_cc_names_goes_before(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(programs, "cc")
    _program(programs, "tcc")
    monkeypatch.setenv("CC", "tcc -m64")
    assert c_compiler() == ("tcc", "-m64")


@pytest.mark.usefixtures("programs")
def test_none_may_be_there() -> None:
    assert c_compiler() is None


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("named", ["no-such-cc -O2", " "])
def test_cc_must_name_a_program(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", named)
    with pytest.raises(ConfigurationError, match="there is no such program"):
        c_compiler()


@pytest.mark.usefixtures("programs")
def test_zig_is_found_in_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ziglang")
    zig = find_zig()
    assert zig is not None
    assert os.access(zig, os.X_OK)
    monkeypatch.setitem(sys.modules, "ziglang", None)
    assert find_zig() is None


@pytest.mark.parametrize(("named", "taken"), [("", "{cache}/zig"), ("/elsewhere", "/elsewhere")])
def test_zig_keeps_what_it_builds_in_the_cache_or_where_the_user_has_it(
    named: str, taken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", named)
    assert set(zig_variables(tmp_path).values()) == {taken.format(cache=tmp_path)}
