"""A source with its patches: all of the series in its order, less those left out, each where it says or not at all."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from datetime import date
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ToolError
from cannery.executable.kit.patches import unpacked_source
from cannery.executable.kit.sources import PatchSeries, SourceArchive, SourcePackage
from cannery.workspace.cache import Cache
from cannery.workspace.workspace import Workspace
from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.once

SERIES = "#git-updates.diff\n\n01-first.patch\n02-layout.patch\n03-second.patch -p1 # told in one line\n"


def change(before: str, after: str) -> str:
    return f"--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n int f(void);\n-int {before};\n+int {after};\n"


PATCHES = {
    "01-first.patch": change("a", "b"),
    "02-layout.patch": change("b", "debian"),
    "03-second.patch": change("b", "c"),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(Cache(tmp_path / "cache"))


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, dict[str, str]], tuple[SourceArchive]]:
    if shutil.which("patch") is None:
        absent("patch")
    sources = tmp_path / "sources"
    sources.mkdir()
    monkeypatch.setenv("CANNERY_SOURCES", str(sources))

    def make(name: str, files: dict[str, str]) -> tuple[SourceArchive]:
        with tarfile.open(sources / name, "w:xz") as made:
            for path, text in files.items():
                info = tarfile.TarInfo(path)
                info.size = len(text)
                made.addfile(info, io.BytesIO(text.encode()))
        digest = hashlib.sha256((sources / name).read_bytes()).hexdigest()
        return (SourceArchive(f"http://127.0.0.1:9/{name}", digest),)

    return make


def patched(
    archive: Callable[[str, dict[str, str]], tuple[SourceArchive]], left_out: tuple[str, ...], source: str
) -> SourcePackage:
    files = {f"debian/patches/{name}": text for name, text in {**PATCHES, "series": SERIES}.items()}
    series = PatchSeries("Debian's patches", "1.0-2", archive("x_1.0-2.debian.tar.xz", files), left_out)
    original = archive("x_1.0.orig.tar.xz", {"x-1.0/x.c": f"int f(void);\nint {source};\n"})
    return SourcePackage("x", "1.0", "", date(2026, 1, 1), original, series)


def test_the_series_is_applied_in_its_order(
    archive: Callable[[str, dict[str, str]], tuple[SourceArchive]], workspace: Workspace, tmp_path: Path
) -> None:
    top = unpacked_source(patched(archive, ("02-layout.patch",), "a"), tmp_path, workspace)
    assert (top / "x.c").read_text(encoding="utf-8") == "int f(void);\nint c;\n"


def test_a_patch_that_does_not_fit_ends_the_build(
    archive: Callable[[str, dict[str, str]], tuple[SourceArchive]], workspace: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(ToolError, match=r"03-second\.patch"):
        unpacked_source(patched(archive, (), "a"), tmp_path, workspace)


def test_a_version_tells_of_the_patches(archive: Callable[[str, dict[str, str]], tuple[SourceArchive]]) -> None:
    assert patched(archive, (), "a").full_version == "1.0-2"
