"""What a kit is built from: archives that are what they should be, or one message that says where to get them."""

from __future__ import annotations

import hashlib
import json
import tarfile
from datetime import date
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, ToolError
from cannery.executable.kit.kit import given_kit, kit_python
from cannery.executable.kit.sources import (
    SourceArchive,
    SourcePackage,
    known_libraries,
    known_pythons,
    locate,
    untried_pythons,
)
from cannery.executable.kit.toolchain import target_for
from cannery.workspace.cache import Cache
from cannery.workspace.digest import Digest
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.once


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(Cache(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sources"
    path.mkdir()
    monkeypatch.setenv("CANNERY_SOURCES", str(path))
    return path


def source(text: bytes) -> SourcePackage:
    nowhere = "http://127.0.0.1:9/tiny-1.0.tar.gz"
    archives = (SourceArchive(nowhere, hashlib.sha256(text).hexdigest()),)
    return SourcePackage("tiny", "1.0", "", date(2026, 1, 1), archives)


def test_a_local_folder_comes_first(folder: Path, workspace: Workspace) -> None:
    (folder / "tiny-1.0.tar.gz").write_bytes(b"right")
    assert locate(source(b"right"), workspace)[0] == folder / "tiny-1.0.tar.gz"


def test_an_archive_with_another_hash_is_refused(folder: Path, workspace: Workspace) -> None:
    (folder / "tiny-1.0.tar.gz").write_bytes(b"wrong")
    with pytest.raises(ToolError, match=r"is not the archive that it should be[\s\S]*Next: replace it with http"):
        locate(source(b"right"), workspace)


def test_one_that_can_t_be_had_is_named_with_where_to_put_it(folder: Path, workspace: Workspace) -> None:
    with pytest.raises(ToolError, match=rf"CANNERY_SOURCES is {folder}[\s\S]*Next: put tiny-1.0.tar.gz into a folder"):
        locate(source(b"right"), workspace)


def test_a_flipped_bit_in_a_cached_archive_is_noticed(workspace: Workspace) -> None:
    path = workspace.cache.blob(Digest.of(b"right"))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"right")
    assert locate(source(b"right"), workspace)[0] == path
    path.write_bytes(b"rigit")
    with pytest.raises(ToolError, match="can't be had"):  # fetched anew, and there is no network here
        locate(source(b"right"), workspace)
    assert not path.exists()


def test_every_source_has_a_name_of_its_own_for_each_archive() -> None:
    sources = [*known_pythons().values(), *known_libraries().values()]
    every = [each.archives for each in sources] + [each.patches.archives for each in sources if each.patches]
    names = {archive.name: archive.sha256 for archives in every for archive in archives}
    assert len(names) == sum(len({archive.name for archive in archives}) for archives in every)


def test_what_is_no_kit_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "python.kit").write_bytes(b"nothing of the kind")
    with pytest.raises(ConfigurationError, match="is no kit of this version of cannery"):
        given_kit(tmp_path / "python.kit", "linux/amd64", workspace)


def write_kit(path: Path, platform: str) -> None:
    about = path.with_name("kit.json")
    about.write_text(json.dumps({"format": 1, "platform": platform, "builtins": []}))
    with tarfile.open(path, "w:xz") as archive:
        archive.add(about, "kit.json")


def test_a_kit_for_another_platform_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    write_kit(tmp_path / "python.kit", "linux/arm64")
    with pytest.raises(ConfigurationError, match="is a kit for linux/arm64, and the image is for linux/amd64"):
        given_kit(tmp_path / "python.kit", "linux/amd64", workspace)


def test_a_folder_of_kits_that_lacks_one_says_how_to_make_it(tmp_path: Path, workspace: Workspace) -> None:
    write_kit(tmp_path / "python-3.11.2-linux-amd64.kit", "linux/amd64")
    with pytest.raises(ConfigurationError) as refused:
        given_kit(tmp_path, "linux/arm64", workspace)
    assert str(refused.value).splitlines() == [
        f"there is no kit for linux/arm64 in {tmp_path}",
        "  python-3.11.2-linux-amd64.kit",
        "Next: make one: cannery kit --platform linux/arm64, and keep its name",
    ]


def test_platforms_that_no_executable_can_be_made_for_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="platforms are: linux/amd64, linux/arm64"):
        target_for("linux/s390x")


def test_of_several_kits_in_a_folder_the_newest_that_fits_best_is_taken(tmp_path: Path, workspace: Workspace) -> None:
    for version in ("3.9.1", "3.13.5", "3.11.2"):
        write_kit(tmp_path / f"python-{version}-linux-amd64.kit", "linux/riscv64")  # refused, so that its name is told

    def taken(fitness: Callable[[str], int]) -> str:
        with pytest.raises(ConfigurationError) as refused:
            given_kit(tmp_path, "linux/amd64", workspace, fitness=fitness)
        return str(refused.value).partition(" is a kit for")[0].rpartition("/")[2]

    assert taken(lambda _: 0) == "python-3.13.5-linux-amd64.kit"
    assert taken(lambda version: int(version.startswith("3.11."))) == "python-3.11.2-linux-amd64.kit"


def test_a_kit_is_of_the_python_that_is_asked_for_or_the_newest() -> None:
    minors = list(known_pythons())
    assert minors[0] == "3.11"
    assert kit_python() == minors[-1]
    assert {kit_python(minor) for minor in minors} == set(minors)
    assert {kit_python(source.version) for source in known_pythons().values()} == set(minors)


def test_kits_of_another_python_are_refused_with_what_packs_it() -> None:
    with pytest.raises(
        ConfigurationError, match=r"no kit of Python 3\.1\n.*sources of 3\.11\.2[\s\S]*Next: take a kit"
    ):
        kit_python("3.1")


def test_a_kit_that_was_never_built_is_refused_with_the_reason() -> None:
    for minor, reason in untried_pythons().items():
        with pytest.raises(
            ConfigurationError, match=f"no kit of Python {minor}.2\n.*none was built and tested: {reason}"
        ):
            kit_python(f"{minor}.2")
