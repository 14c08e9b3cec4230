"""Package notes are in the form that the specification has, and are found again in any file."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cannery.elf.constants import SHT_NOTE
from cannery.elf.headers import ElfReader
from cannery.elf.package_notes import NOTE_SECTION, PackageNote, note_file, notes_in
from cannery.elf.strip import strip_elf
from cannery.image.content import Inline
from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

OPENSSL = PackageNote("deb", "openssl", "3.5.7-1~deb13u2", "debian", "13")
ZLIB = PackageNote("generic", "zlib", "1.3.1", cpe="cpe:2.3:a:zlib:zlib:1.3.1:*:*:*:*:*:*:*")


def test_a_note_has_the_owner_the_type_and_json_of_the_specification() -> None:
    section = OPENSSL.section
    assert section[:16] == b"\x04\0\0\0" + len(section[16:].rstrip(b"\0") + b"\0").to_bytes(4, "little") + (
        b"\x7e\x1a\xfe\xcaFDO\0"
    )
    assert len(section) % 4 == 0
    assert json.loads(section[16:].rstrip(b"\0")) == {
        "type": "deb",
        "os": "debian",
        "osVersion": "13",
        "name": "openssl",
        "version": "3.5.7-1~deb13u2",
    }


@pytest.mark.parametrize("note", [OPENSSL, ZLIB])
def test_a_file_of_a_note_alone_is_an_elf_file_with_one_section_of_it(note: PackageNote) -> None:
    data = note_file(note)
    reader = ElfReader(io.BytesIO(data), len(data))
    (section,) = (each for each in reader.sections() if each.type == SHT_NOTE)
    assert reader.at(section.offset, section.size) == note.section
    assert list(notes_in(data)) == [note]


def test_others_read_it(tmp_path: Path) -> None:
    if (readelf := shutil.which("readelf")) is None:
        absent("readelf")
    path = tmp_path / "zlib.note"
    path.write_bytes(note_file(ZLIB))
    done = subprocess.run([readelf, "-nSW", str(path)], capture_output=True, text=True, check=True)
    assert NOTE_SECTION in done.stdout
    assert '"name":"zlib"' in done.stdout
    assert not done.stderr


def test_strip_leaves_it(tmp_path: Path) -> None:
    if (objcopy := shutil.which("objcopy")) is None:
        absent("objcopy")
    (tmp_path / "note").write_bytes(OPENSSL.section)
    command = [objcopy, f"--add-section={NOTE_SECTION}={tmp_path / 'note'}", sys.executable, str(tmp_path / "noted")]
    subprocess.run(command, check=True)
    outcome = strip_elf(Inline((tmp_path / "noted").read_bytes()))
    with outcome.content.open() as stream:
        data = stream.read()
    reader = ElfReader(io.BytesIO(data), len(data))
    assert OPENSSL.section in {reader.at(each.offset, each.size) for each in reader.sections() if each.type == SHT_NOTE}


@pytest.mark.parametrize(
    "text",
    [b"no json", b'{"name":"zlib"}', b'{"name":"","version":"1"}', b'{"name":["zlib"],"version":"1"}', b"{"],
)
def test_what_only_looks_like_a_note_is_none(text: bytes) -> None:
    size = (len(text) + 1).to_bytes(4, "little")
    assert not list(notes_in(b"\x04\0\0\0" + size + b"\x7e\x1a\xfe\xcaFDO\0" + text + b"\0"))
