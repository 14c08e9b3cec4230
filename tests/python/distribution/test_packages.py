"""Packages of a distribution: what isn't signed doesn't count, and what is wrong is said in one message."""

from __future__ import annotations

import errno
import io
import json
import os
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs
from pysequoia import Tsk

from cannery.errors import CanneryError, ConfigurationError, MachineError, RuntimeTreeError
from cannery.image.platform import Platform
from cannery.python.distribution.root import WantedPython, packaged_python
from cannery.python.distribution.suites import DISTRIBUTIONS, Suite, parse_suite
from cannery.workspace.cache import Cache
from cannery.workspace.files import explained
from tests.support.debian_archive import DebianArchive, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.python.distribution.root import PackagedPython
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

BESIDE = ("base-files", "libc-bin", "tzdata", "ncurses-base", "libstdc++6", "libgomp1")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[DebianArchive]:
    """An archive with a Python, all that comes beside it, and a library."""
    with served(tmp_path / "archive") as made:
        for name in BESIDE:
            made.add(name, {f"usr/share/{name}": ""})
        made.add("python3", {}, depends="python3.13 (>= 3.13.5-1~), python3-minimal (= 1)")
        made.add(
            "python3.13", {"usr/bin/python3.13": "x"}, depends="libc6 (>= 2.38), debconf | debconf-2.0, mime | mail"
        )
        made.add("libc6", {"usr/lib/x86_64-linux-gnu/libc.so.6": "x"})
        made.add("mail", {"etc/mailcap": "x"}, provides="mail-table (= 1)")
        made.add("libpq5", {"usr/lib/x86_64-linux-gnu/libpq.so.5": "x"}, depends="mail-table")
        yield made


def unpacked(archive: DebianArchive, workspace: Workspace, **changes: Any) -> PackagedPython:
    debian = replace(DISTRIBUTIONS["debian"], keyring=archive.keyring)
    mirrors = tuple((name, archive.address) for name in ("debian", "debian-security", "debian-snapshot"))
    wanted = WantedPython(Suite(debian, "trixie"), Platform("linux", "amd64"), mirrors=mirrors)
    return packaged_python(replace(wanted, **changes), workspace)


def refusal(archive: DebianArchive, workspace: Workspace, **changes: Any) -> CanneryError:
    with pytest.raises(CanneryError) as caught:
        unpacked(archive, workspace, **changes)
    assert caught.value.step
    return caught.value


def test_the_suite_s_own_python_comes_with_all_that_it_depends_on(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    found = unpacked(archive, workspace)
    assert found.program == "/usr/bin/python3.13"
    assert [each.name for each in found.chosen.packages] == sorted(["libc6", "mail", "python3.13", *BESIDE])
    assert (found.root.path / "usr/bin/python3.13").is_file()
    assert (found.root.path / "lib/x86_64-linux-gnu/libc.so.6").is_file()  # by the link of a merged /usr


def test_each_file_is_told_with_its_package(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    found = unpacked(archive, workspace)
    told = json.loads(found.packages.read_bytes())
    assert told["libc6"]["files"] == ["/usr/lib/x86_64-linux-gnu/libc.so.6"]
    assert (told["libc6"]["version"], told["libc6"]["architecture"]) == ("1", "amd64")


def test_more_packages_and_what_only_provides_a_name(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    found = unpacked(archive, workspace, packages=("libpq5",))
    assert {"libpq5", "mail"} <= {each.name for each in found.chosen.packages}


def test_the_newest_of_all_pockets_goes_in(archive: DebianArchive, workspace: Workspace) -> None:
    archive.add("libc6", {"old": ""}, version="1:2.9")
    archive.publish()
    archive.packages = {}
    archive.add("libc6", {"new": ""}, version="1:2.10")
    archive.publish("trixie-security")
    found = unpacked(archive, workspace)
    assert {each.version for each in found.chosen.packages if each.name == "libc6"} == {"1:2.10"}
    assert (found.root.path / "new").is_file()


def test_a_suite_is_looked_up_once_and_again_when_asked(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    before = unpacked(archive, workspace)
    archive.add("libc6", {"new": ""}, version="2")
    archive.publish()
    assert unpacked(archive, workspace) == before
    assert unpacked(archive, structs.replace(workspace, refresh=True)).key != before.key


def test_a_list_that_somebody_else_signed_does_not_count(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    archive.key = Tsk.generate("Somebody <else@example.org>")
    error = refusal(archive, workspace)
    assert isinstance(error, RuntimeTreeError)
    assert "is not signed by a key of" in str(error)
    assert "Stack backtrace" not in str(error)


def test_a_list_that_was_altered_does_not_count(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    path = archive.folder / "dists/trixie/InRelease"
    path.write_bytes(path.read_bytes().replace(b"Codename: trixie", b"Codename: Trixie"))
    assert "is not signed" in str(refusal(archive, workspace))


def test_text_before_the_signed_message_does_not_count(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    path = archive.folder / "dists/trixie/InRelease"
    unsigned = f"SHA256:\n {'0' * 64} 1 main/binary-amd64/Packages.xz\n"
    path.write_bytes(unsigned.encode() + path.read_bytes())
    assert unpacked(archive, workspace).chosen.packages


def test_an_old_list_is_refused(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish(valid=timedelta(days=-1))
    assert "is out of date" in str(refusal(archive, workspace))


def test_the_list_of_another_suite_is_refused(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish(codename="sid")
    assert "is the list of another suite" in str(refusal(archive, workspace))


def test_a_package_that_changed_is_refused(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    archive.write("pool/libc6.deb", b"something else")
    error = refusal(archive, workspace)
    assert "pool/libc6.deb is another file than the signed list" in str(error)
    assert not list(workspace.cache.root.glob("package-roots/*"))


def test_a_file_that_was_altered_later_is_not_packed(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    libc = next(unpacked(archive, workspace).root.path.rglob("libc.so.6"))
    before = libc.read_bytes()
    libc.write_bytes(before[::-1])
    assert next(unpacked(archive, workspace).root.path.rglob("libc.so.6")).read_bytes() == before


def test_half_a_package_is_refused(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    path = archive.folder / "pool/libc6.deb"
    path.write_bytes(path.read_bytes()[:-40])
    assert "is another file" in str(refusal(archive, workspace))


def test_what_reaches_out_of_the_root_is_refused(archive: DebianArchive, workspace: Workspace, tmp_path: Path) -> None:
    archive.add("libc6", {"etc": f"-> {tmp_path}", "etc/passwd": "mine"})
    archive.publish()
    assert "the package libc6 holds './etc/passwd'" in str(refusal(archive, workspace))
    archive.add("libc6", {"../passwd": "mine"})
    archive.publish()
    assert "leaves the image" in str(refusal(archive, structs.replace(workspace, refresh=True)))
    assert not (tmp_path / "passwd").exists()


def test_a_suite_that_is_not_there(archive: DebianArchive, workspace: Workspace) -> None:
    error = refusal(archive, workspace)
    assert error.what == "there is no suite debian:trixie"
    assert "mirrors" in error.step


def test_a_platform_that_the_suite_lacks(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    assert "has no packages for arm64" in str(refusal(archive, workspace, platform=Platform("linux", "arm64")))


def test_a_python_and_a_package_that_the_suite_lacks(archive: DebianArchive, workspace: Workspace) -> None:
    archive.publish()
    error = refusal(archive, workspace, python="3.12")
    assert isinstance(error, ConfigurationError)
    assert "it has python3.13" in error.evidence
    assert "did you mean 'libpq5'" in refusal(archive, workspace, packages=("libpq4",)).evidence


def test_no_network(archive: DebianArchive, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cannery.python.distribution.download._PAUSES", (0, 0))
    mirrors = (("debian", "http://127.0.0.1:1"), ("debian-security", "http://127.0.0.1:1"))
    assert "can't be fetched" in str(refusal(archive, workspace, mirrors=mirrors))


class FullDisk(io.BytesIO):
    """A file on a disk without space."""

    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_no_fault_of_the_network(
    archive: DebianArchive, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.publish()

    @contextmanager
    def full(_: Cache) -> Iterator[tuple[io.BytesIO, None]]:
        with explained(workspace.cache.root):
            yield FullDisk(), None

    monkeypatch.setattr(Cache, "new_blob", full)
    error = refusal(archive, workspace)
    assert isinstance(error, MachineError)
    assert error.step.startswith("free some space there")


@pytest.mark.parametrize("text", ["debian:", "debian:a/b", "ubuntu:Noble"])
def test_a_distribution_without_a_suite(text: str) -> None:
    with pytest.raises(ConfigurationError, match="names no suite"):
        parse_suite(text)


def test_another_text_is_an_image_s() -> None:
    assert parse_suite("python:3.13-slim") is None
