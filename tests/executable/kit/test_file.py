"""Kits as files: what is no kit, or another one than was meant, is one message, and what was altered is noticed."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import tarfile
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.executable.kit import file as kit_file
from cannery.executable.kit.file import about_kit, unpacked_kit, write_kit
from cannery.executable.kit.kit import given_kit
from cannery.executable.kit.toolchain import native_target
from cannery.project.config import load
from cannery.recipes.static_program.kit import kit_for
from cannery.workspace.cache import Cache
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

ABOUT = {"format": 1, "platform": "linux/amd64", "builtins": [["zlib", "PyInit_zlib"]]}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(Cache(tmp_path / "cache"))


def member(name: str, data: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz") as stream:
        for info, data in members:
            stream.addfile(info, io.BytesIO(data))
    return made.getvalue()


def about(**fields: object) -> tuple[tarfile.TarInfo, bytes]:
    return member("kit.json", json.dumps({**ABOUT, **fields}).encode())


WHOLE = archive(about(), member("lib/data", b"x" * 100))

ODD = {
    "cut off": WHOLE[: len(WHOLE) // 2],
    "with a flipped bit": WHOLE[:40] + bytes([WHOLE[40] ^ 1]) + WHOLE[41:],
    "empty": b"",
    "xz of something else": lzma.compress(b"no tar" * 1000),
    "with a way out": archive(about(), member("../outside")),
    "with a link out": archive(about(), member("lib", type=tarfile.SYMTYPE, linkname="/etc")),
    "with a device": archive(about(), member("dev", type=tarfile.CHRTYPE)),
    "with a file below a file": archive(about(), member("lib"), member("lib/data")),
    "with a hard link to nothing": archive(about(), member("x", type=tarfile.LNKTYPE, linkname="missing")),
    "that says nothing": archive(member("lib/data")),
    "of another format": archive(about(format=2)),
    "without a platform": archive(about(platform=None)),
    "that is a list": archive(member("kit.json", b"[]")),
    "with no names": archive(about(builtins=[["a(){}", "b"]])),
    "nested deeply": archive(member("kit.json", b"[" * 100_000)),
    "with no text": archive(member("kit.json", b"\xff\xfe")),
    "with no Python": archive(about(platform=native_target().platform)),
    "with a Python that is none": archive(
        about(platform=native_target().platform), member("bin/python3.11", b"\0", mode=0o755)
    ),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD.keys())
def test_a_kit_that_is_odd_is_one_message(tmp_path: Path, workspace: Workspace, data: bytes) -> None:
    (tmp_path / "python.kit").write_bytes(data)
    with pytest.raises(ConfigurationError, match="is no kit of this version of cannery"):
        given_kit(tmp_path / "python.kit", native_target().platform, workspace)
    assert not (tmp_path / "outside").exists()


def test_a_kit_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_file, "_MOST", 200)
    (tmp_path / "python.kit").write_bytes(archive(about(), member("lib/data", bytes(10_000))))
    with pytest.raises(ConfigurationError, match="unpacks to more than 200 bytes"):
        unpacked_kit(tmp_path / "python.kit", workspace)


def test_a_kit_with_another_sha256_is_refused(tmp_path: Path, workspace: Workspace, make_project: MakeProject) -> None:
    path = tmp_path / "python.kit"
    path.write_bytes(WHOLE)
    project = make_project(
        {"main.py": "", "pyproject.toml": f'[tool.cannery.static]\nkit = "{path}#sha256={"0" * 64}"\n'}
    )
    with pytest.raises(ConfigurationError, match="another kit than the settings name") as refused:
        kit_for(load(project), "linux/amd64", workspace)
    assert hashlib.sha256(WHOLE).hexdigest() in refused.value.evidence


@pytest.mark.parametrize("wrong", ["", "abc", "0" * 63, "G" * 64])
def test_what_can_be_no_sha256_is_refused(
    workspace: Workspace, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("CANNERY_KIT", f"python.kit#sha256={wrong}")
    with pytest.raises(ConfigurationError, match=r"the SHA-256 of the kit python\.kit is wrong"):
        kit_for(load(make_project({"main.py": ""})), "linux/amd64", workspace)


def test_a_folder_of_kits_has_no_sha256(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="is a folder, which has no SHA-256"):
        given_kit(tmp_path, "linux/amd64", workspace, "0" * 64)


def test_the_kit_with_the_sha256_is_taken_and_one_that_was_altered_is_unpacked_anew(
    tmp_path: Path, workspace: Workspace
) -> None:
    (tmp_path / "python.kit").write_bytes(WHOLE)
    folder, key = unpacked_kit(tmp_path / "python.kit", workspace, hashlib.sha256(WHOLE).hexdigest())
    assert about_kit(folder, folder).builtins == (("zlib", "PyInit_zlib"),)
    (folder / "lib" / "__pycache__").mkdir()
    (folder / "lib" / "__pycache__" / "data.pyc").touch()
    assert unpacked_kit(tmp_path / "python.kit", workspace) == (folder, key)
    assert (folder / "lib" / "__pycache__").exists(), "it was not unpacked again"

    (folder / "lib" / "data").write_bytes(b"y" * 100)
    unpacked_kit(tmp_path / "python.kit", workspace)
    assert (folder / "lib" / "data").read_bytes() == b"x" * 100


def test_a_kit_is_written_the_same_each_time(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "python.kit").write_bytes(WHOLE)
    folder, _ = unpacked_kit(tmp_path / "python.kit", workspace)
    assert write_kit(folder, tmp_path / "one.kit") == write_kit(folder, tmp_path / "two.kit")
