"""Layers as engines unpack them."""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ImageError
from cannery.image.extraction import unpack
from cannery.workspace.digest import Digest
from tests.support.layers import by_zstd, device, directory, file, hard_link, layer, packed, symlink

if TYPE_CHECKING:
    from cannery.image.layer import Layer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder."""
    into = tmp_path / "root"
    into.mkdir()
    return into


def names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_file_has_its_content_mode_and_time(tmp_path: Path, root: Path) -> None:
    unpack([layer(tmp_path, file("bin/tool", b"#!", mode=0o750, mtime=1234))], root)

    tool = root / "bin" / "tool"
    assert (tool.read_bytes(), permissions(tool), tool.stat().st_mtime) == (b"#!", 0o750, 1234)


def test_a_folder_that_may_not_be_written_to_is_filled_all_the_same(tmp_path: Path, root: Path) -> None:
    unpack([layer(tmp_path, directory("sealed", mode=0o555, mtime=77), file("sealed/file"))], root)

    assert (root / "sealed" / "file").is_file()
    # Somebody else than root couldn't remove it, were it as it is in the layer.
    assert permissions(root / "sealed") == (0o555 if os.geteuid() == 0 else 0o755)
    assert (root / "sealed").stat().st_mtime == 77


def test_the_umask_has_no_effect(tmp_path: Path, root: Path) -> None:
    before = os.umask(0o077)
    try:
        unpack([layer(tmp_path, file("a/b/file", mode=0o644), directory("c", mode=0o755))], root)
    finally:
        os.umask(before)

    found = [permissions(path) for path in (root, root / "a", root / "a" / "b", root / "a" / "b" / "file", root / "c")]
    assert found == [0o755, 0o755, 0o755, 0o644, 0o755]


def test_set_user_id_and_set_group_id_are_dropped_and_sticky_is_kept(tmp_path: Path, root: Path) -> None:
    unpack([layer(tmp_path, file("sudo", mode=0o6755), directory("tmp", mode=0o1777))], root)

    assert (permissions(root / "sudo"), permissions(root / "tmp")) == (0o755, 0o1777)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_gives_files_their_owners(tmp_path: Path, root: Path) -> None:
    info, data = file("home/alice/file", b"hers")
    info.uid, info.gid = 1234, 5678
    unpack([layer(tmp_path, (info, data))], root)

    status = (root / "home/alice/file").stat()
    assert (status.st_uid, status.st_gid) == (1234, 5678)


def test_a_later_layer_replaces_files_and_adds_to_folders(tmp_path: Path, root: Path) -> None:
    lower = layer(tmp_path, file("d/a", b"old"), file("d/b", b"kept"), file("e/f"))
    upper = layer(tmp_path, file("d/a", b"new"), file("e", b"a file where a folder was"))
    unpack([lower, upper], root)

    assert (root / "d/a").read_bytes() == b"new"
    assert (root / "d/b").read_bytes() == b"kept"
    assert (root / "e").is_file()


def test_links_are_kept_as_they_are_written(tmp_path: Path, root: Path) -> None:
    unpack([layer(tmp_path, file("bin/a", b"x"), hard_link("bin/b", "bin/a"), symlink("c", "/bin/../bin/a"))], root)

    assert (root / "bin/a").stat().st_ino == (root / "bin/b").stat().st_ino
    assert (root / "c").readlink() == Path("/bin/../bin/a")


def test_a_hard_link_to_a_symlink_is_one_more_name_of_the_link(tmp_path: Path, root: Path) -> None:
    unpack([layer(tmp_path, symlink("a", "/outside"), hard_link("b", "./a"))], root)

    assert (root / "b").readlink() == Path("/outside")


def test_a_file_lands_behind_a_link_that_stays_in_the_image(tmp_path: Path, root: Path) -> None:
    merged = layer(tmp_path, directory("usr/lib"), symlink("lib", "usr/lib"), symlink("lib64", "/lib"))
    unpack([merged, layer(tmp_path, file("lib64/new/x.so", b"ELF"))], root)

    assert (root / "usr/lib/new/x.so").read_bytes() == b"ELF"
    assert (root / "lib").is_symlink()


def test_an_absolute_link_leads_to_where_it_leads_in_a_container(tmp_path: Path, root: Path) -> None:
    base = layer(tmp_path, directory("run"), symlink("var/run", "/run"))
    unpack([base, layer(tmp_path, file("var/run/app.pid", b"1"))], root)

    assert (root / "run/app.pid").read_bytes() == b"1"


def test_a_file_in_place_of_a_folder_has_its_own_mode(tmp_path: Path, root: Path) -> None:
    unpack([layer(tmp_path, directory("a", mode=0o711)), layer(tmp_path, file("a", mode=0o640))], root)

    assert permissions(root / "a") == 0o640


def test_a_folder_replaces_a_link_as_engines_have_it(tmp_path: Path, root: Path) -> None:
    lower = layer(tmp_path, file("usr/lib/x"), symlink("lib", "usr/lib"))
    unpack([lower, layer(tmp_path, directory("lib"), file("lib/y"))], root)

    assert names(root) == {"usr", "usr/lib", "usr/lib/x", "lib", "lib/y"}
    assert not (root / "lib").is_symlink()


def test_a_whiteout_removes_what_lower_layers_hold(tmp_path: Path, root: Path) -> None:
    lower = layer(tmp_path, file("a/b/c"), file("a/d"), symlink("e", "a"), file("f"))
    unpack([lower, layer(tmp_path, file("a/.wh.b"), file(".wh.e"), file(".wh.f"), file(".wh.absent"))], root)

    assert names(root) == {"a", "a/d"}


@pytest.mark.parametrize("whiteout_first", [True, False])
def test_a_whiteout_spares_its_own_layer_whatever_the_order(
    tmp_path: Path, root: Path, *, whiteout_first: bool
) -> None:
    lower = layer(tmp_path, file("a/old"), file("a/same", b"old"))
    members = [file(".wh.a"), file("a/same", b"new"), file("a/sub/new")]
    unpack([lower, layer(tmp_path, *(members if whiteout_first else members[::-1]))], root)

    assert names(root) == {"a", "a/same", "a/sub", "a/sub/new"}
    assert (root / "a/same").read_bytes() == b"new"


@pytest.mark.parametrize("opaque_at", [0, 1, 2, 3])
def test_an_opaque_whiteout_hides_lower_layers_whatever_the_order(tmp_path: Path, root: Path, opaque_at: int) -> None:
    lower = layer(tmp_path, file("a/old"), file("a/sub/old"), file("b"))
    members = [directory("a"), file("a/new"), file("a/sub/new")]
    members.insert(opaque_at, file("a/.wh..wh..opq"))
    unpack([lower, layer(tmp_path, *members)], root)

    assert names(root) == {"a", "a/new", "a/sub", "a/sub/new", "b"}


def test_a_whiteout_of_a_layer_below_does_not_reach_the_layers_above(tmp_path: Path, root: Path) -> None:
    unpack([layer(tmp_path, file("a")), layer(tmp_path, file(".wh.a")), layer(tmp_path, file("a", b"again"))], root)

    assert (root / "a").read_bytes() == b"again"


def test_what_aufs_keeps_for_itself_is_left_out(tmp_path: Path, root: Path) -> None:
    unpack(
        [layer(tmp_path, directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"), file(".wh..wh.aufs"), file("a"))], root
    )

    assert names(root) == {"a"}


def test_devices_that_every_container_has_are_left_out(tmp_path: Path, root: Path) -> None:
    unpack([layer(tmp_path, device("dev/null", 1, 3, kind=tarfile.CHRTYPE), file("a"))], root)

    assert names(root) == {"a"}


def test_odd_names_are_kept(tmp_path: Path, root: Path) -> None:
    odd = ["a b", "new\nline", "\udcff\udcfe", "ä" * 120, "x" * 90 + "/" + "y" * 90]
    unpack([layer(tmp_path, *(file(name, b"odd") for name in odd))], root)

    assert all((root / name).read_bytes() == b"odd" for name in odd)


@pytest.mark.slow
def test_a_nest_deeper_than_python_recurses_is_replaced(tmp_path: Path, root: Path) -> None:
    unpack([layer(tmp_path, file("d/" * 1500 + "f")), layer(tmp_path, file("d", b"flat"))], root)

    assert (root / "d").read_bytes() == b"flat"


def test_a_wrong_digest_is_an_error(tmp_path: Path, root: Path) -> None:
    wrong = replace(layer(tmp_path, file("a")), digest=Digest("0" * 64))

    with pytest.raises(ImageError, match="the digest of the layer 'app' is wrong"):
        unpack([wrong], root)


def test_a_wrong_diff_id_is_an_error(tmp_path: Path, root: Path) -> None:
    wrong = replace(layer(tmp_path, file("a")), diff_id=Digest("0" * 64))

    with pytest.raises(ImageError, match="the diff ID of the layer 'app' is wrong"):
        unpack([wrong], root)


def test_digests_cover_what_lies_behind_the_archive(tmp_path: Path, root: Path) -> None:
    good = layer(tmp_path, file("a"))
    padded = packed(tmp_path, gzip.decompress(good.blob.read_bytes()) + b"\0" * 5_000_000)

    unpack([padded], root)

    assert names(root) == {"a"}


def test_an_archive_that_lacks_what_follows_its_last_file_is_whole(tmp_path: Path, root: Path) -> None:
    archive = gzip.decompress(layer(tmp_path, file("a", b"as umoci writes it")).blob.read_bytes())

    unpack([packed(tmp_path, archive[: tarfile.BLOCKSIZE + 18])], root)

    assert (root / "a").read_bytes() == b"as umoci writes it"


def test_an_archive_that_goes_on_with_anything_else_is_an_error(tmp_path: Path, root: Path) -> None:
    archive = gzip.decompress(layer(tmp_path, file("a")).blob.read_bytes())

    with pytest.raises(ImageError, match="the layer 'app' can't be read") as raised:
        unpack([packed(tmp_path, archive[: tarfile.BLOCKSIZE] + b"garbage " * 64)], root)

    assert "what follows byte 1024 is no member of an archive" in raised.value.evidence


def _cut(good: Layer) -> bytes:
    return good.blob.read_bytes()[:-20]


def _flipped(good: Layer) -> bytes:
    data = bytearray(good.blob.read_bytes())
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize("damage", [_cut, _flipped, lambda _: b"no gzip", lambda _: b""])
def test_a_damaged_blob_is_an_error(tmp_path: Path, root: Path, damage: object) -> None:
    good = layer(tmp_path, file("a", os.urandom(5000)))
    assert callable(damage)
    good.blob.write_bytes(damage(good))

    with pytest.raises(ImageError, match="layer 'app'"):
        unpack([good], root)


def test_a_blob_that_is_not_there_is_an_error(tmp_path: Path, root: Path) -> None:
    good = layer(tmp_path, file("a"))
    good.blob.unlink()

    with pytest.raises(ImageError, match="the layer 'app' can't be read"):
        unpack([good], root)


def test_a_layer_may_be_uncompressed(tmp_path: Path, root: Path) -> None:
    zipped = layer(tmp_path, file("a", b"plain"))
    plain = tmp_path / "plain"
    plain.write_bytes(gzip.decompress(zipped.blob.read_bytes()))
    media_type = "application/vnd.oci.image.layer.v1.tar"
    unpack([replace(zipped, blob=plain, digest=zipped.diff_id, media_type=media_type)], root)

    assert (root / "a").read_bytes() == b"plain"


def test_a_layer_may_be_compressed_with_zstd(tmp_path: Path, root: Path) -> None:
    unpack([by_zstd(tmp_path, layer(tmp_path, file("a", b"dense")))], root)

    assert (root / "a").read_bytes() == b"dense"


def test_zstd_that_is_damaged_is_an_error(tmp_path: Path, root: Path) -> None:
    good = by_zstd(tmp_path, layer(tmp_path, file("a", os.urandom(5000))))
    good.blob.write_bytes(b"no zstd")

    with pytest.raises(ImageError, match="the layer 'app' can't be read"):
        unpack([good], root)


def test_a_compression_that_is_not_known_is_an_error(tmp_path: Path, root: Path) -> None:
    odd = replace(layer(tmp_path, file("a")), media_type="application/vnd.oci.image.layer.v1.tar+lzma")

    with pytest.raises(ImageError, match="kind that can't be unpacked"):
        unpack([odd], root)


def test_folders_and_files_are_counted_as_the_layers_say(tmp_path: Path, root: Path) -> None:
    info, _ = directory("srv", mode=0o2770)
    info.uid, info.gid = 7, 8
    base = layer(tmp_path, directory("a"), file("a/b", b"12"), hard_link("c", "a/b"), symlink("d", "c"))

    found = unpack([base, layer(tmp_path, (info, b""), file(".wh.a"))], root)

    assert found.layers == ((2, 2), (1, 0))
    assert found.folders == {"/srv": (0o2770, 7, 8)}


@pytest.mark.parametrize("behind", [False, True])
def test_a_bomb_is_refused_before_it_s_unpacked(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, *, behind: bool
) -> None:
    """Zeros without number, either in a file or behind the archive's end."""
    monkeypatch.setattr("cannery.image.extraction._SMALL", 1 << 20)
    path = tmp_path / "bomb"
    with gzip.open(path, "wb", 9) as stream:
        info, _ = file("zeros")
        info.size = 0 if behind else 2**24
        stream.write(info.tobuf())
        stream.write(bytes(1 << 24))
    bomb = replace(layer(tmp_path, file("a")), blob=path, size=path.stat().st_size)

    with pytest.raises(ImageError, match="the layer 'app' unpacks to more than it should") as raised:
        unpack([bomb], root)

    assert ("after the last file" if behind else "at 'zeros'") in raised.value.evidence
    assert names(root) <= {"zeros"}
