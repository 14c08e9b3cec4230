"""Images in every form they are saved in; and what is no image, or pretends to be one."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from cannery.audit.archives import read_archive, read_layout
from cannery.audit.choice import choose
from cannery.errors import ImageError, ToolError
from cannery.workspace.extras import installing
from tests.support.bad_images import COMPRESSIONS, docker_archive, file, layer, oci_files, symlink, tar_of
from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

LAYERS = [layer(file("app/a.py", b"a = 1\n")), layer(file("app/b.py", b"b = 2\n"))]


def paths(archive: bytes, reference: str = "") -> list[str]:
    return sorted(choose(read_archive(io.BytesIO(archive), "image.tar"), reference).visible)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_layers_are_read_however_they_are_compressed(compression: str) -> None:
    assert paths(docker_archive([layer(file("app/a.py"), compression=compression)])) == ["/app/a.py"]


def test_an_oci_archive_and_a_compressed_one_are_read() -> None:
    archive = tar_of(oci_files(LAYERS))
    assert paths(archive) == paths(gzip.compress(archive)) == ["/app/a.py", "/app/b.py"]


def test_an_oci_layout_is_read_from_its_folder(tmp_path: Path) -> None:
    for name, data in oci_files(LAYERS).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert sorted(choose(read_layout(tmp_path)).visible) == ["/app/a.py", "/app/b.py"]


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "oci"])
def test_what_skopeo_writes_is_read(form: str, tmp_path: Path) -> None:
    if shutil.which("skopeo") is None:
        absent("skopeo")
    source = tmp_path / "source.tar"
    source.write_bytes(docker_archive([*LAYERS, LAYERS[0]]))
    target = tmp_path / "target"
    copy = ["skopeo", "copy", "--insecure-policy", f"docker-archive:{source}", f"{form}:{target}:name:tag"]
    subprocess.run(copy, check=True, capture_output=True)
    saved = read_layout(target) if target.is_dir() else read_archive(io.BytesIO(target.read_bytes()), "target")
    contents = choose(saved)
    assert sorted(contents.visible) == ["/app/a.py", "/app/b.py"]
    assert len(contents.layers) == 3


def test_a_layer_that_is_a_link_to_another_is_that_layer() -> None:
    archive = io.BytesIO(docker_archive(LAYERS))
    changed = io.BytesIO()
    with tarfile.open(fileobj=archive) as old, tarfile.open(fileobj=changed, mode="w") as new:
        for member in old:
            if member.name == f"{1:064x}/layer.tar":
                new.addfile(symlink(member.name, f"../{0:064x}/layer.tar")[0])
            else:
                new.addfile(member, old.extractfile(member))
    assert paths(changed.getvalue()) == ["/app/a.py"]


def two_images() -> bytes:
    one, other = oci_files(LAYERS[:1], architecture="s390x"), oci_files(LAYERS[1:], architecture="riscv64")
    import json  # noqa: PLC0415

    index = [*json.loads(one.pop("index.json"))["manifests"], *json.loads(other.pop("index.json"))["manifests"]]
    for name, descriptor in zip(("first:1", "second:2"), index, strict=True):
        descriptor["annotations"] = {"org.opencontainers.image.ref.name": name}
    return tar_of({**one, **other, "index.json": json.dumps({"manifests": index}).encode()})


def test_of_several_images_the_one_that_is_named_is_taken() -> None:
    assert paths(two_images(), "second:2") == ["/app/b.py"]


def test_several_images_and_no_name_is_an_error_that_lists_them() -> None:
    with pytest.raises(ImageError, match="has no images for linux/") as refused:
        paths(two_images())
    assert refused.value.evidence == "first:1  linux/s390x\nsecond:2  linux/riscv64"


def bad_member(name: str, data: bytes) -> bytes:
    return docker_archive([tar_of({"app/a.py": b"x" * 2000}) + tar_of({name: data})])


EMPTY = {"manifest.json": b'[{"Config": "c.json", "RepoTags": null, "Layers": ["0.tar"]}]', "c.json": b"{}"}
NO_IMAGES = {
    "empty": b"",
    "text": b"no archive at all, only text that goes on for a while" * 20,
    "no image": tar_of({"hello.txt": b"hello"}),
    "no layers": tar_of(EMPTY),
    "manifest of another kind": tar_of({"manifest.json": b'{"Config": 1}'}),
    "manifest that is no JSON": tar_of({"manifest.json": b"{,"}),
    "cut off": docker_archive(LAYERS)[:1500],
    "cut off in a compressed layer": tar_of({**EMPTY, "0.tar": LAYERS[0][:-6]}),
    "layer that is no archive": docker_archive([b"hello " * 200]),
    "layer with garbage behind a member": docker_archive([tar_of({"a": b"x"})[:1024] + b"garbage " * 128]),
    "layer cut off": docker_archive([tar_of({"a": b"x" * 9000})[:2000]]),
    "gzip that is none": tar_of({**EMPTY, "0.tar": b"\x1f\x8b" + b"garbage " * 20}),
    "damaged blob": tar_of({name: data.replace(b"65535", b"00000") for name, data in oci_files(LAYERS).items()}),
}


@pytest.mark.parametrize("archive", NO_IMAGES.values(), ids=NO_IMAGES.keys())
def test_what_is_no_image_is_refused_in_one_message(archive: bytes) -> None:
    with pytest.raises(ImageError) as refused:
        paths(archive)
    assert refused.value.what


def test_a_header_that_claims_to_be_huge_is_not_read_into_memory() -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    bomb = info.tobuf(tarfile.GNU_FORMAT) + bytes(4096)
    with pytest.raises(ImageError, match="can't be read") as refused:
        paths(docker_archive([bomb]))
    assert refused.value.evidence == "a header of 1099511627776 bytes"


def test_a_name_that_leads_out_of_the_image_leads_nowhere() -> None:
    assert paths(docker_archive([layer(file("../../etc/passwd"), file("/app/../srv/x"))])) == ["/etc/passwd", "/srv/x"]


def test_zstd_that_nothing_here_can_read_is_told_with_what_adds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression", None)
    with pytest.raises(ToolError) as refused:
        paths(docker_archive([layer(file("a"), compression="zstd")]))
    assert refused.value.step == installing("zstd")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_image() -> None:
    import tracemalloc  # noqa: PLC0415

    sparse = _Zeros(tarfile.TarInfo("app/large.bin"), 400_000_000)
    tracemalloc.start()
    try:
        read_archive(sparse, "large.tar")  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


class _Zeros(io.RawIOBase):
    """An archive whose one member, an uncompressed layer, has one large file of zeros."""

    def __init__(self, member: tarfile.TarInfo, size: int) -> None:
        member.size = size
        inner = member.tobuf()
        outer = tarfile.TarInfo("blobs/layer.tar")
        outer.size = len(inner) + size + 1024
        outer.size += -outer.size % 512
        self._head = outer.tobuf() + inner
        self._left = size + 4096

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data, self._head = self._head[:size], self._head[size:]
        more = min(size - len(data), self._left) if not self._head else 0
        self._left -= more
        return data + bytes(more)
