"""What goes from the cache, and what doesn't."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.workspace.cache import Cache
from cannery.workspace.digest import Digest
from cannery.workspace.eviction import bytes_of, evict, evictable, trim
from cannery.workspace.kept import keep, kept_file
from cannery.workspace.use import held, used

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_000_000.0
BLOCK = 4096


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A cache with three blobs, of which the first was used longest ago, and a folder that is older still."""
    root = tmp_path / "1.0"
    for number in range(3):
        blob = root / "blobs" / "sha256" / str(number)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(os.urandom(BLOCK))
        os.utime(blob, (NOW, NOW - 100_000 + number))
    (root / "roots" / "r" / "closed").mkdir(parents=True)
    (root / "roots" / "r" / "closed" / "file").write_bytes(os.urandom(BLOCK))
    (root / "roots" / "r" / "closed").chmod(0o555)
    os.utime(root / "roots" / "r", (NOW, NOW - 200_000))
    return Cache(root)


def names(cache: Cache, keep: int) -> list[str]:
    return [entry.path.name for entry in evictable(cache, keep, now=NOW)]


def test_nothing_goes_from_a_cache_that_is_small_enough(cache: Cache) -> None:
    assert names(cache, 10**6) == []


def test_what_was_used_longest_ago_goes_first_and_no_more_than_has_to(cache: Cache) -> None:
    assert names(cache, 3 * BLOCK) == ["r"]
    assert names(cache, 2 * BLOCK) == ["r", "0"]
    assert names(cache, 0) == ["r", "0", "1", "2"]


def test_what_was_used_just_now_stays(cache: Cache) -> None:
    os.utime(cache.root / "blobs" / "sha256" / "1", (NOW, NOW - 60))
    assert "1" not in names(cache, 0)


def test_other_versions_caches_go_and_other_folders_don_t(cache: Cache) -> None:
    for name in ("0.9", "mine"):
        (cache.root.parent / name).mkdir()
        os.utime(cache.root.parent / name, (NOW, NOW - 100_000))
    assert names(cache, 10**6) == ["0.9"]


def test_what_goes_is_gone_with_its_folders_that_are_closed(cache: Cache) -> None:
    for entry in evictable(cache, 0, now=NOW):
        evict(entry)
    assert list((cache.root / "blobs" / "sha256").iterdir()) == []
    assert list((cache.root / "roots").iterdir()) == []


def test_what_was_used_since_it_was_listed_stays(cache: Cache) -> None:
    entries = evictable(cache, 0, now=NOW)
    os.utime(cache.root / "roots" / "r", (NOW, NOW - 60))
    assert {entry.path.name: evict(entry) for entry in entries} == {"r": False, "0": True, "1": True, "2": True}


def test_what_somebody_holds_stays(cache: Cache) -> None:
    root = cache.root / "roots" / "r"
    with held(root):
        assert "r" not in names(cache, 0)
    entries = evictable(cache, 0, now=NOW)
    with held(root):
        assert [evict(entry) for entry in entries] == [False, True, True, True]
    assert root.is_dir()


def test_two_prunes_at_once_remove_everything(cache: Cache) -> None:
    first, second = evictable(cache, 0, now=NOW), evictable(cache, 0, now=NOW)
    assert all(evict(entry) for entry in first)
    assert all(evict(entry) for entry in second)


def test_what_goes_while_the_cache_is_measured_is_not_missed(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    entries, measured = evictable(cache, 0, now=NOW), os.walk

    def walk(top: Path) -> object:
        found = list(measured(top))
        monkeypatch.undo()
        evict(next(entry for entry in entries if entry.path == top))
        return found

    monkeypatch.setattr(os, "walk", walk)
    assert names(cache, 0) == ["0", "1", "2"]


def test_bytecode_that_is_asked_for_stays_and_each_file_goes_alone(cache: Cache, tmp_path: Path) -> None:
    links = [cache.root / "bytecode" / "ab" / name for name in ("one", "two")]
    for link in links:
        (tmp_path / "made").write_bytes(link.name.encode())
        keep(tmp_path / "made", link, Digest.of(link.name.encode()))
        os.utime(link, (1, 1))
    (cache.root / "bytecode" / "ab").touch()
    assert kept_file(links[0]) is not None
    for entry in evictable(cache, 0):
        evict(entry)
    assert kept_file(links[0]) is not None
    assert kept_file(links[1]) is None


def test_a_file_that_two_folders_have_comes_free_with_the_last(cache: Cache) -> None:
    for name in ("first", "second"):
        (cache.root / "roots" / name).mkdir()
    (cache.root / "roots" / "first" / "shared").write_bytes(os.urandom(10 * BLOCK))
    (cache.root / "roots" / "second" / "shared").hardlink_to(cache.root / "roots" / "first" / "shared")
    for number, name in enumerate(("first", "second")):
        os.utime(cache.root / "roots" / name, (NOW, NOW - 300_000 + number))
    sizes = {entry.path.name: entry.size for entry in evictable(cache, 0, now=NOW)}
    assert sizes["first"] < BLOCK * 2 < 10 * BLOCK < sizes["second"]


def test_the_cache_is_held_to_its_size_once_an_hour(cache: Cache) -> None:
    freed = trim(cache, 0)
    assert freed >= 4 * BLOCK
    blob = cache.root / "blobs" / "sha256" / "later"
    blob.write_bytes(bytes(BLOCK))
    os.utime(blob, (1, 1))
    assert trim(cache, 0) == 0
    assert blob.exists()


def test_a_mark_is_set_where_something_is_there(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    os.utime(tmp_path / "old", (1, 1))
    assert used(tmp_path / "old")
    assert (tmp_path / "old").stat().st_mtime > 1
    assert not used(tmp_path / "missing")


def test_what_can_t_be_written_counts_as_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old").touch()
    os.utime(tmp_path / "old", (1, 1))

    def refuse(_: Path) -> None:
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(os, "utime", refuse)
    assert used(tmp_path / "old")


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("5GB", 5 * 10**9), ("1.5 kb", 1500), ("12M", 12 * 10**6), ("7b", 7)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1GB", "5 GiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no size"):
        bytes_of(text)
