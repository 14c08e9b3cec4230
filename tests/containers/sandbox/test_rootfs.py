"""An image's root, ready to run."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from cannery.containers.sandbox.rootfs import rootfs
from cannery.errors import ImageError
from cannery.workspace.cache import Cache
from cannery.workspace.files import DamagedBlobError
from tests.support.layers import directory, fifo, file, image, layer, symlink

if TYPE_CHECKING:
    from pathlib import Path


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_root_has_what_a_container_mounts_on(tmp_path: Path) -> None:
    made = image([layer(tmp_path, file("app/main"))], {"WorkingDir": "/srv/here", "Volumes": {"/data": {}}})
    root = rootfs(made, Cache(tmp_path / "cache"))

    folders = ("dev", "proc", "sys", "tmp", "srv/here", "data")
    assert all((root / name).is_dir() for name in folders)
    assert all((root / "etc" / name).read_bytes() == b"" for name in ("hosts", "hostname", "resolv.conf"))
    assert permissions(root / "tmp") == 0o1777


def test_a_root_keeps_what_the_image_has_there(tmp_path: Path) -> None:
    made = image([layer(tmp_path, directory("tmp", mode=0o700), file("etc/hosts", b"kept"))])
    root = rootfs(made, Cache(tmp_path / "cache"))

    assert (permissions(root / "tmp"), (root / "etc/hosts").read_bytes()) == (0o700, b"kept")


def test_a_link_in_place_of_a_file_to_mount_on_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    made = image([layer(tmp_path, symlink("etc/resolv.conf", str(outside)), symlink("etc/hosts", "../../../x"))])
    root = rootfs(made, Cache(tmp_path / "cache"))

    assert not outside.exists()
    assert (root / "etc/resolv.conf").is_file()
    assert not (root / "etc/resolv.conf").is_symlink()


def test_an_image_is_unpacked_once(tmp_path: Path) -> None:
    made = image([layer(tmp_path, file("a"))])
    cache = Cache(tmp_path / "cache")
    first = rootfs(made, cache)
    made.layers[0].blob.unlink()

    assert rootfs(made, cache) == first


def test_a_file_that_was_altered_is_not_run(tmp_path: Path) -> None:
    made = image([layer(tmp_path, file("bin/program", b"mine"))])
    cache = Cache(tmp_path / "cache")
    program = rootfs(made, cache) / "bin/program"
    status = program.stat()
    program.write_bytes(b"evil")
    os.utime(program, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert (rootfs(made, cache) / "bin/program").read_bytes() == b"mine"


def test_a_damaged_blob_is_removed_and_named(tmp_path: Path) -> None:
    made = image([layer(tmp_path, file("main", b"x" * 1000))])
    blob = made.layers[0].blob
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)

    with pytest.raises(DamagedBlobError, match="in the cache is not what it was"):
        rootfs(made, Cache(tmp_path / "cache"))
    assert not blob.exists()


def test_a_pipe_that_somebody_put_there_is_not_waited_for(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    made = image([layer(tmp_path, file("main", b"x"))])
    os.mkfifo(rootfs(made, cache) / "pipe")
    assert not (rootfs(made, cache) / "pipe").exists()


def size_on_disk(folder: Path) -> int:
    return sum({path.lstat().st_ino: path.lstat().st_size for path in folder.rglob("*") if path.is_file()}.values())


def test_two_images_share_what_is_equal_in_them(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    runtime = layer(tmp_path, file("usr/lib/libc.so", os.urandom(100_000)), file("usr/bin/tool", b"#!", mode=0o755))
    versions = [image([runtime, layer(tmp_path, file("app/main", text))]) for text in (b"one", b"another")]
    roots = [rootfs(each, cache) for each in versions]

    assert size_on_disk(cache.root / "roots") < 110_000
    assert (roots[0] / "usr/lib/libc.so").samefile(roots[1] / "usr/lib/libc.so")
    assert [(root / "app/main").read_bytes() for root in roots] == [b"one", b"another"]
    assert [rootfs(each, cache) for each in versions] == roots


def test_what_differs_in_its_mode_or_path_alone_is_not_shared(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    one = rootfs(image([layer(tmp_path, file("a", b"same"), file("b", b"same"))]), cache)
    two = rootfs(image([layer(tmp_path, file("a", b"same", mode=0o600), file("c", b"same"))]), cache)

    files = (one / "a", one / "b", two / "a", two / "c")
    assert len({path.stat().st_ino for path in files}) == len(files)


def test_a_shared_file_that_was_altered_is_run_by_neither_image(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    runtime = layer(tmp_path, file("bin/program", b"mine"))
    versions = [image([runtime, layer(tmp_path, file("main", text))]) for text in (b"one", b"two")]
    program, _ = (rootfs(each, cache) / "bin/program" for each in versions)
    status = program.stat()
    program.write_bytes(b"evil")
    os.utime(program, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert [(rootfs(each, cache) / "bin/program").read_bytes() for each in versions] == [b"mine", b"mine"]


def test_an_image_is_not_unpacked_again_when_another_that_shares_its_files_goes(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    runtime = layer(tmp_path, file("bin/program", b"mine"))
    made = image([runtime, layer(tmp_path, file("main", b"one"))])
    root = rootfs(made, cache)
    cache.remove(rootfs(image([runtime, layer(tmp_path, file("main", b"two"))]), cache))
    runtime.blob.unlink()

    assert rootfs(made, cache) == root


def test_a_hostile_image_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with pytest.raises(ImageError):
        rootfs(image([layer(tmp_path, file("good"), fifo("bad"))]), cache)

    assert not (cache.root / "roots").exists()
    assert not [path for path in (cache.root / "tmp").iterdir() if path.is_dir()]
