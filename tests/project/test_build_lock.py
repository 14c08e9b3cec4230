"""``cannery.lock``: what is written is read, and what is wrong is one message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.project.build_lock import BuildLock, LockedBase, LockedPackage, LockedRuntime, read_lock, write_lock

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

PACKAGE = LockedPackage("libc6", '2.41-12+deb13u5 "x"', "glibc", "debian", "pool/main/g/glibc/libc6.deb", "0" * 64, 7)
LOCK = BuildLock(
    1,
    {"cannery": "0.1", "certifi": "2026.1"},
    "sha256:00",
    (LockedRuntime("debian:trixie", "linux/arm64", "abc", "python3.13", "20261127T093000Z", (PACKAGE, PACKAGE)),),
    (LockedBase("python:3.13-slim", f"sha256:{'1' * 64}"),),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_lock(tmp_path) is None
    assert write_lock(tmp_path, LOCK).name == "cannery.lock"
    assert read_lock(tmp_path) == LOCK


def test_each_package_is_a_line_of_its_own(tmp_path: Path) -> None:
    lines = write_lock(tmp_path, LOCK).read_text().splitlines()
    assert len([line for line in lines if 'name = "libc6"' in line]) == 2


def test_a_lock_for_something_else_does_not_fit() -> None:
    assert LOCK.runtime_for("debian:trixie", "linux/arm64", "abc") == LOCK.runtime[0]
    assert LOCK.runtime_for("debian:trixie", "linux/arm64", "abd") is None
    assert LOCK.runtime_for("debian:trixie", "linux/amd64", "abc") is None
    assert LOCK.digest_of("python:3.13-slim") == f"sha256:{'1' * 64}"
    assert LOCK.digest_of("python:3.13") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version = ", "is no lock of cannery's"),
        ("version = 'x'", "is no lock of cannery's"),
        ("version = 1\nunknown = 1", "unknown"),
        ("version = 2", "has version 2, and this cannery reads version 1"),
        ("version = 1\n[[runtime]]\nruntime = 1\n", "is no lock of cannery's"),
        ("[" * 5000, "is no lock of cannery's"),
        ("\xff", "is no lock of cannery's"),
    ],
)
def test_a_lock_that_is_none(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "cannery.lock").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigurationError) as caught:
        read_lock(tmp_path)
    assert told in str(caught.value)
    assert caught.value.step.startswith("cannery lock")
