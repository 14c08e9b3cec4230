"""The files of a layer have parts of its blob whose sum is the blob."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ImageError
from cannery.sizes.layer_files import LayerFile, layer_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.once


def tarred(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def read(blob: bytes, tmp_path: Path) -> dict[str, LayerFile]:
    path = tmp_path / "blob"
    path.write_bytes(blob)
    found = layer_files(path, "the layer app")
    assert sum(each.packed for each in found) == len(blob)
    return {each.path: each for each in found}


def test_noise_takes_its_size_and_zeros_next_to_nothing(tmp_path: Path) -> None:
    noise = random.Random(7).randbytes(300_000)
    found = read(gzip.compress(tarred({"app/noise": noise, "app/zeros": bytes(300_000), "app/more": noise})), tmp_path)
    assert [each.size for each in found.values()] == [300_000] * 3
    assert found["/app/noise"].packed == pytest.approx(300_000, rel=0.05)
    assert found["/app/more"].packed == pytest.approx(300_000, rel=0.05)
    assert found["/app/zeros"].packed < 10_000


def test_an_uncompressed_layer_takes_its_own_bytes(tmp_path: Path) -> None:
    blob = tarred({"app/a": b"a" * 10_000, "app/b": b""})
    found = read(blob, tmp_path)
    assert found["/app/a"].packed == 512 + 10_240
    assert found["/app/b"].size == 0


def test_a_large_archive_is_listed_as_well(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("large.pyc", random.Random(7).randbytes(1_500_000))
    found = read(gzip.compress(tarred({"usr/local/lib/python311.zip": made.getvalue()})), tmp_path)
    assert found["/usr/local/lib/python311.zip/large.pyc"].size == 1_500_000


def test_the_members_of_an_archive_are_parts_of_it(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("json/decoder.pyc", random.Random(7).randbytes(50_000))
        archive.writestr("json/empty.pyc", b"")
    folder = "/usr/local/lib/python311.zip"
    found = read(gzip.compress(tarred({folder[1:]: made.getvalue()})), tmp_path)
    assert found[f"{folder}/json/decoder.pyc"].size == pytest.approx(50_000, rel=0.01)
    assert sum(each.size for each in found.values()) == len(made.getvalue())
    assert found[folder].size < 500  # its table


def test_what_only_has_an_archive_s_name_is_one_file(tmp_path: Path) -> None:
    assert [*read(tarred({"app/notes.zip": b"no archive"}), tmp_path)] == ["/app/notes.zip"]


def test_an_empty_layer_has_no_files(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(tarred({}))
    assert layer_files(path, "the layer app") == []


@pytest.mark.parametrize("spoil", [lambda blob: blob[:-9], lambda blob: blob[:-6] + b"\0" * 6, lambda _: b"no archive"])
def test_a_damaged_layer_is_told(spoil: object, tmp_path: Path) -> None:
    blob = gzip.compress(tarred({"app/a": random.Random(7).randbytes(5000)}))
    (tmp_path / "blob").write_bytes(spoil(blob))  # type: ignore[operator]
    with pytest.raises(ImageError, match="the layer app can't be read"):
        layer_files(tmp_path / "blob", "the layer app")
