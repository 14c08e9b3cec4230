"""Whoever does what a page of the guide says gets what it shows: its files are written, and its commands are run."""

from __future__ import annotations

import subprocess
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from docs.making.page import Reader, blocks, differences, is_run
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.registry import Registry

pytestmark = [pytest.mark.once, pytest.mark.slow]

# They install what takes long, or ask for programs that few have.
HEAVY = {"docs/howto/django.md", "docs/howto/model-server.md", "docs/publishing.md"}


REGISTRY = "localhost:5000"  # as pages call it


def pages() -> Iterator[object]:
    """Each page with commands that are run."""
    for path in sorted((ROOT / "docs").rglob("*.md")):
        page = path.relative_to(ROOT).as_posix()
        if is_run(path.read_text(encoding="utf-8")):
            yield pytest.param(page, marks=[pytest.mark.heavy] if page in HEAVY else [], id=page)


@pytest.mark.parametrize("page", [*pages()])
def test_a_page_shows_what_its_commands_print(
    page: str, tmp_path: Path, shared_folder: Path, shared_cache: Path, request: pytest.FixtureRequest
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    words = {"path/to/cannery": str(ROOT)}
    if REGISTRY in text:
        registry: Registry = request.getfixturevalue("registry")
        words[REGISTRY] = registry.address
    variables = {"CANNERY_CACHE": str(shared_cache), "CANNERY_ENGINE": "none", "UV_CACHE_DIR": _uv_cache()}
    with (
        FileLock(shared_folder / "port 8000") if ":8000" in text else nullcontext(),  # which pages ask, as people do
        Reader(tmp_path / "home", tmp_path / "work", words, variables) as reader,
    ):
        for block, printed in reader.follow(text):
            shown = block.text.replace(REGISTRY, words.get(REGISTRY, ""))
            assert differences(shown, printed) == [], printed
    assert not [block for block in blocks(text) if block.kind == "prints" and not block.text.strip()]


def _uv_cache() -> str:
    """Where uv keeps what it has downloaded: the home that a reader begins with is empty."""
    return subprocess.run(["uv", "cache", "dir"], check=True, capture_output=True, text=True).stdout.strip()


def test_lines_are_compared_but_for_what_changes_from_day_to_day() -> None:
    printed = "app    3   1.2 kB   packed\ndigest  sha256:0123\nsame   /\n"
    assert differences("app    4     963 B   as before\n…\nsame   /\n", printed) == []
    assert differences("digest  sha256:…\n", printed) == []
    assert differences("same   /\napp    3   1.2 kB   packed\n", printed) == ["app    3   1.2 kB   packed"]
    assert differences("differs   /\n", printed) == ["differs   /"]
