"""What goes from the cache, and what doesn't."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.workspace.cache import Cache
from cannery.workspace.eviction import bytes_of, evict, evictable

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


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("5GB", 5 * 10**9), ("1.5 kb", 1500), ("12M", 12 * 10**6), ("7b", 7)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1GB", "5 GiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no size"):
        bytes_of(text)
