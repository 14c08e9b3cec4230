"""Two images, compared down to the byte."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from cannery.difference.contents import compared_bytes, module_of
from cannery.difference.fields import changed_fields
from cannery.difference.images import compare_images
from cannery.image import Cache, Digest, Directory, File, Image, Inline, Layer, Platform, Symlink, Tree, assemble, pack
from cannery.recipes.difference import compared

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.difference.images import ImageDifference
    from cannery.image.tree import Entry

pytestmark = pytest.mark.once

AMD64 = Platform.parse("linux/amd64")
HEADER = b"\xa7\x0d\x0d\x0a\x01\x00\x00\x00"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def image(
    cache: Cache, config: Mapping[str, Any] | None = None, level: int = 6, **layers: Mapping[str, Entry]
) -> Image:
    packed = [pack(name, Tree(entries), cache, level=level) for name, entries in layers.items()]
    return assemble(packed, config or {}, AMD64)


def difference(before: Image, after: Image) -> ImageDifference:
    return compare_images("linux/amd64", compared(before), compared(after))


def text(content: bytes, **more: int) -> File:
    return File(Inline(content), **more)


def test_the_same_image_is_the_same_and_nothing_of_it_is_read(cache: Cache) -> None:
    one = image(cache, app={"/app/x": text(b"x")})
    one.layers[0].blob.unlink()
    found = difference(one, one)
    assert found.same
    assert found.same_contents


def test_each_entry_that_is_new_gone_or_another_is_told_with_what_is_another(cache: Cache) -> None:
    before = image(cache, app={
        "/app/bytes": text(b"1" * 3_000_000 + b"abcdef"), "/app/gone": text(b"x"), "/app/mode": text(b"x", mode=0o644),
        "/app/owner": text(b"x"), "/app/link": Symlink("bytes"), "/app/kind": text(b"x"), "/app/same": text(b"x"),
    })  # fmt: skip
    after = image(cache, app={
        "/app/bytes": text(b"1" * 3_000_000 + b"abXYef!"), "/app/new": text(b"x"), "/app/mode": text(b"x", mode=0o755),
        "/app/owner": text(b"x", uid=7, gid=8), "/app/link": Symlink("same"), "/app/kind": Directory(),
        "/app/same": text(b"x"),
    })  # fmt: skip
    found = difference(before, after)
    assert not found.same_contents
    changes = {each.path: each for each in found.files}
    assert {path: each.how for path, each in changes.items()} == {
        "/app/bytes": "changed", "/app/gone": "gone", "/app/kind": "changed", "/app/link": "changed",
        "/app/mode": "changed", "/app/new": "new", "/app/owner": "changed",
    }  # fmt: skip
    places = changes["/app/bytes"].bytes
    assert places is not None
    assert (places.first, places.differing, places.sizes) == (3_000_002, 2, (3_000_006, 3_000_007))
    assert changes["/app/mode"].properties == (("mode", 0o644, 0o755),)
    assert changes["/app/owner"].properties == (("owner", "0:0", "7:8"),)
    assert ("kind", "file", "folder") in changes["/app/kind"].properties
    assert changes["/app/link"].before is not None
    assert changes["/app/link"].before.content == "bytes"


def test_what_an_upper_layer_takes_away_or_hides_is_not_in_the_image(cache: Cache) -> None:
    low = {"/a/x": text(b"x"), "/a/y": text(b"y"), "/b/z": text(b"z"), "/c/d/e": text(b"e")}
    up = {"/a/.wh.x": text(b""), "/b/.wh..wh..opq": text(b""), "/b/own": text(b"own"), "/c": text(b"a file now")}
    before = image(cache, low={"/a/y": text(b"y"), "/b/own": text(b"own"), "/c": text(b"a file now")})
    assert difference(before, image(cache, low=low, up=up)).files == ()


def test_layers_that_are_only_compressed_otherwise_have_the_same_contents(cache: Cache) -> None:
    entries = {"/app/x": text(b"x" * 5000)}
    found = difference(image(cache, app=entries), image(cache, level=1, app=entries))
    assert [pair.how for pair in found.layers] == ["packed otherwise"]
    assert not found.same
    assert found.same_contents


def test_the_same_entries_in_another_order_are_told(cache: Cache) -> None:
    names = ("app/one", "app/two")
    layers = []
    for order in (names, names[::-1]):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            for name in order:
                archive.addfile(tarfile.TarInfo(name))
        layers.append(_layer(cache, data.getvalue()))
    before, after = (assemble([layer], {}, AMD64) for layer in layers)
    found = difference(before, after)
    assert [pair.archives for pair in found.layers] == ["the order of its entries"]
    assert found.same_contents


def _layer(cache: Cache, data: bytes) -> Layer:
    digest = Digest.of(data)
    with cache.new_blob() as (stream, commit):
        stream.write(data)
        path = commit(digest)
    return Layer("app", digest, digest, len(data), 0, 0, "application/vnd.oci.image.layer.v1.tar", path)


def test_fields_of_configurations_are_told_by_their_names_and_variables_by_theirs() -> None:
    before = {
        "config": {"Env": ["PATH=/bin", "A=1"], "Labels": {"x.y": "1"}, "Cmd": ["a"]},
        "rootfs": {"diff_ids": [1]},
    }
    after = {"config": {"Env": ["A=2", "PATH=/bin"], "Labels": {}, "Cmd": ["a", "b"]}, "rootfs": {"diff_ids": [2]}}
    assert [tuple(each) for each in changed_fields(before, after)] == [
        ("config.Cmd", ["a"], ["a", "b"]),
        ("config.Env.A", "1", "2"),
        ("config.Labels", None, {}),
        ("config.Labels.x.y", "1", None),
    ]


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("/usr/local/lib/python3.13/json/__pycache__/decoder.cpython-313.pyc", "json.decoder"),
        ("/usr/local/lib/python3.13/json/__init__.pyc", "json"),
        ("/usr/lib/python3/dist-packages/attr/_make.pyc", "attr._make"),
        ("/usr/local/lib/python313.zip/json/decoder.pyc", "json.decoder"),
        ("/app/main.pyc", "main"),
    ],
)
def test_bytecode_is_told_by_its_module(path: str, module: str) -> None:
    assert module_of(path) == module


def test_what_lies_where_bytes_differ_is_told(tmp_path: Path) -> None:
    def what(path: str, before: bytes, after: bytes) -> str:
        (tmp_path / "before").write_bytes(before)
        (tmp_path / "after").write_bytes(after)
        return compared_bytes(path, tmp_path / "before", tmp_path / "after").what

    assert what("/app/x.pyc", HEADER + b"8 bytes.code", HEADER + b"8 bytes.coda") == "bytecode of x: its code"
    assert what("/app/x.pyc", HEADER + b"8 bytes.code", HEADER + b"9 bytes.code").endswith("what it says of its source")
    assert what("/app/x.txt", b"one\ntwo\n", b"one\ntwa\n") == "a text: line 2"
    assert what("/app/x", b"\x7fELF1", b"\x7fELF2") == "an ELF file"
    assert what("/app/x", b"\0\1", b"\0\2") == ""
    archives = []
    for content in ("one", "two"):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("json/decoder.pyc", content)
            archive.writestr("same.txt", "same")
        archives.append(data.getvalue())
    assert what("/usr/local/lib/python313.zip", *archives) == "an archive: json.decoder"
