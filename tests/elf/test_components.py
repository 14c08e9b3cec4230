"""Versions are known by the texts that programs carry, whole or in parts, and those of others are left alone."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

import pytest

from cannery.elf.components import Component, ComponentSearch, marked

SQLITE = b"\x003.46.1\x00\x002024-08-13 09:16:08 c9c2ab54ba1f5f46360f1b4f35d849cd3f080e6fc2b6c60e91b16c63f69aalt1\x00"
GLIBC = b"GNU C Library (%s) stable release version 2.36.\n"


def found(*parts: bytes) -> list[str]:
    search = ComponentSearch()
    for part in parts:
        search.look(part)
    return [str(each) for each in search.found()]


@pytest.mark.once
@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"\0cpython-313\x00\x003.13.5+\0", ["Python 3.13.5+"]),
        (b"/opt/lib/3.11.7\0\0cpython-311\0", ["Python 3.11.7"]),
        (b"\0cpython-313\x00\x003.11.7\x0013.13.5\0", []),  # of something else
        (b"OpenSSL 3.5.7 9 Jun 2026\0", ["OpenSSL 3.5.7"]),
        (b"OpenSSL 1.1.1w  11 Sep 2023\0", ["OpenSSL 1.1.1w"]),
        (b"needs OpenSSL 3.0.0 or later\0", []),
        (SQLITE, ["SQLite 3.46.1"]),
        (SQLITE + b"\0cpython-313\x00\x003.13.5\0", ["Python 3.13.5", "SQLite 3.46.1"]),
        (b"\x003.46.1\0", []),
        (GLIBC % b"Debian GLIBC 2.36-9+deb12u10", ["glibc 2.36-9+deb12u10"]),
        (GLIBC % b"GNU", ["glibc 2.36"]),
        (b"\x001.2.5\0musl libc (x86_64)\n", ["musl 1.2.5"]),
        (b"\x001.2.5\0", []),
        (b"\xff" * 64, []),
    ],
)
def test_a_version_is_known_by_its_texts(data: bytes, names: list[str]) -> None:
    assert found(data) == names


@pytest.mark.once
def test_texts_may_stand_in_different_parts() -> None:
    assert found(b"\0cpython-312\0", b"...", b"\x003.12.11\0") == ["Python 3.12.11"]


@pytest.mark.once
def test_a_compressed_program_tells_of_itself_and_that_counts() -> None:
    told = (Component("OpenSSL", "3.5.7-1~deb13u2", "2026-08-23"), Component("musl", "1.2.5"))
    search = ComponentSearch()
    search.look(b"OpenSSL 3.5.7 9 Jun 2026\0" + marked(told).encode() + b"\0")
    assert search.found() == told


@pytest.mark.slow
def test_the_python_that_runs_is_found_with_its_libraries() -> None:
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").split()
    search = ComponentSearch()
    for path in {Path(word) for word in maps if word.startswith("/") and Path(word).is_file()}:
        search.look(path.read_bytes())
    named = {(each.name, each.version) for each in search.found()}
    assert ("Python", sys.version.split()[0]) in named
    assert ("OpenSSL", ssl.OPENSSL_VERSION.split()[1]) in named
