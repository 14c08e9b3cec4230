"""Of a layer that was changed on the way the file is told that the first other byte lies in."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from typing import TYPE_CHECKING

import pytest

from cannery.difference.damage import damage_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

NOISE = random.Random(7)
FILES = {"app/first.pyc": b"a" * 5_000, "app/noise.bin": NOISE.randbytes(60_000), "app/last.pyc": b"z" * 5_000}


def archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


@pytest.fixture
def right(tmp_path: Path) -> Path:
    path = tmp_path / "layer"
    path.write_bytes(gzip.compress(archive(FILES), mtime=0))
    return path


def told(right: Path, changed: bytes) -> str:
    return damage_of(right, io.BytesIO(changed))


def test_a_flipped_byte_is_found_in_its_file(right: Path) -> None:
    data = right.read_bytes()
    middle = len(data) // 2  # noise takes nearly all of it
    assert "is of /app/noise.bin, at " in told(right, data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])


@pytest.mark.parametrize("name", FILES)
def test_another_file_in_its_place_is_found_by_its_name(right: Path, name: str) -> None:
    other = gzip.compress(archive({**FILES, name: FILES[name][:100] + b"!" + FILES[name][101:]}), mtime=0)
    assert told(right, other) == f"the first byte that differs is of /{name}, at 100"


def test_what_is_cut_off_added_or_lies_around_the_files_is_told(right: Path) -> None:
    data = right.read_bytes()
    assert told(right, data) == "all of its files are the same: what was changed lies around them"
    assert told(right, data[:-1] + bytes([data[-1] ^ 1])) == told(right, data)
    assert "is of /app/first.pyc" in told(right, b"no gzip at all")
    assert "lies behind all of its files" in told(right, gzip.compress(archive(FILES) + b"more", mtime=0))
    assert "is of /app/noise.bin" in told(right, data[: len(data) // 2])


def test_of_a_layer_in_another_form_nothing_is_told(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(archive(FILES))
    assert damage_of(plain, io.BytesIO(b"other")) == ""
