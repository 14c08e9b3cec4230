"""ELF files without what a loader does without: they work as before, and what they carry for others stays."""

from __future__ import annotations

import ctypes
import platform
import random
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from cannery.elf.compact import compact_elf
from cannery.elf.constants import DT_RELASZ, DT_RELR
from cannery.elf.outcome import Outcome, Refusal
from cannery.elf.rewrite import LoadedElf
from cannery.elf.versions import GLIBC_ABI_DT_RELR
from cannery.image.content import Inline
from tests.support.elf_files import (
    PROGRAM,
    WITH_POINTERS,
    compacted,
    compile_c,
    compile_for,
    complaints,
    on_disk,
    stripped,
)

if TYPE_CHECKING:
    from pathlib import Path

BIND_NOW = ("-Wl,-z,now",)
RUNS = WITH_POINTERS + "int main(void) { return sum() == 4498500 && call(1) == 2 ? 7 : 1; }"

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(platform.libc_ver() < ("glibc", "2.36"), reason="this C library can't read DT_RELR"),
]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return compile_c(WITH_POINTERS, tmp_path / "libpointers.so", "-shared", "-fPIC", "-O1")


def written(data: bytes, target: Path) -> Path:
    target.write_bytes(data)
    target.chmod(0o755)
    return target


def refusals(data: bytes) -> dict[str, str]:
    """What was tried with a file and left undone, with the reason."""
    outcome = compact_elf(Inline(data), relr=True, keep_eh_frame=False)
    return {each.tried: each.why for each in outcome.refusals}


def test_a_library_works_as_before_and_is_smaller(library: Path, tmp_path: Path) -> None:
    before = stripped(library)
    after = compacted(before)
    assert len(after) < len(before) - 3000 * 20
    found = ctypes.CDLL(str(written(after, tmp_path / "libsmall.so")))
    assert (found.sum(), [found.call(number) for number in range(8)]) == (4498500, [1, 2] * 4)
    assert complaints(tmp_path / "libsmall.so") <= complaints(library)
    assert compacted(after) == after
    assert refusals(before) == {}


@pytest.mark.parametrize(
    "flags", [(), ("-no-pie",), ("-static-pie",), ("-static",), BIND_NOW, ("-Wl,--hash-style=both",)]
)
@pytest.mark.parametrize("tables", [True, False])
def test_a_program_runs_as_before(tmp_path: Path, flags: tuple[str, ...], tables: bool) -> None:
    before = stripped(compile_c(RUNS, tmp_path / "program", *flags))
    after = written(compacted(before, keep_eh_frame=tables), tmp_path / "small")
    assert subprocess.run([str(after)], check=False).returncode == 7
    assert after.stat().st_size <= len(before)


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("flags", [(), BIND_NOW])
def test_what_another_linker_made_with_no_room_to_spare_works(tmp_path: Path, flags: tuple[str, ...]) -> None:
    target = compile_for("native", WITH_POINTERS, tmp_path / "liblld.so", "-shared", "-fPIC", "-O1", *flags)
    after = compacted(stripped(target))
    assert len(after) < len(stripped(target))
    found = ctypes.CDLL(str(written(after, tmp_path / "libsmall.so")))
    assert (found.sum(), found.call(1)) == (4498500, 2)


def test_without_a_loader_that_can_relocations_stay(library: Path) -> None:
    before = stripped(library)
    after = compacted(before, relr=False, keep_eh_frame=True)
    assert LoadedElf.read(after).tag(DT_RELR) is None
    assert LoadedElf.read(after).tag(DT_RELASZ) == LoadedElf.read(before).tag(DT_RELASZ)
    assert GLIBC_ABI_DT_RELR not in after


def test_a_library_that_defines_versions_keeps_them(tmp_path: Path) -> None:
    script = tmp_path / "versions"
    script.write_text("ONE_1.0 { global: sum; call; };\nTWO_2.0 { global: one; two; local: *; };\n")
    flags = ("-shared", "-fPIC", f"-Wl,--version-script={script}")
    path = compile_c(WITH_POINTERS, tmp_path / "libversions.so", *flags)
    source = "int sum(void); int one(void); int main(void) { return sum() == 4498500 ? 7 + one() : 1; }"
    user = compile_c(source, tmp_path / "user", f"-L{tmp_path}", "-lversions", f"-Wl,-rpath,{tmp_path}")
    written(compacted(stripped(path)), path)
    assert subprocess.run([str(user)], check=False).returncode == 8


def test_what_a_program_carries_for_itself_stays(tmp_path: Path) -> None:
    path = compile_c(RUNS, tmp_path / "program")
    behind = stripped(path) + b"an archive"
    assert compacted(behind) == behind
    assert "10 bytes at" in refusals(behind)["compact"]
    (tmp_path / "payload").write_bytes(b"an archive" * 100)
    added = ["objcopy", "--add-section", f"payload={tmp_path / 'payload'}", str(path)]
    subprocess.run(added, check=True)
    assert compacted(stripped(path)) == stripped(path)
    assert refusals(stripped(path)) == {"compact": "it carries a section of its own: payload"}


def test_the_words_of_a_linker_s_warning_are_no_section_of_its_own(tmp_path: Path) -> None:
    path = compile_c(WITH_POINTERS, tmp_path / "libwarning.so", "-shared", "-fPIC")
    (tmp_path / "words").write_bytes(b"sum is dangerous")
    subprocess.run(["objcopy", f"--add-section=.gnu.warning.sum={tmp_path}/words", str(path)], check=True)
    before = stripped(path)
    assert b"sum is dangerous" in before
    assert len(compacted(before)) < len(before)


def test_a_section_of_its_own_is_still_found(tmp_path: Path) -> None:
    source = WITH_POINTERS + 'int mine[64] __attribute__((section(".MyRuntime"))) = {77};'
    path = compile_c(source, tmp_path / "libmine.so", "-shared", "-fPIC")
    after = written(compacted(stripped(path)), tmp_path / "libsmall.so")
    dumped = ["objcopy", "-O", "binary", "--only-section=.MyRuntime", str(after), str(tmp_path / "dump")]
    subprocess.run(dumped, check=True)
    assert struct.unpack_from("<i", (tmp_path / "dump").read_bytes()) == (77,)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("-c",), "it is neither a program nor a shared library"),
        (("-static", "-no-pie"), "it has no dynamic segment, as static programs have none"),
    ],
)
def test_a_file_of_another_kind_says_why_it_stays(tmp_path: Path, flags: tuple[str, ...], why: str) -> None:
    content = on_disk(compile_c(PROGRAM, tmp_path / "file", *flags))
    assert compact_elf(content, relr=True, keep_eh_frame=False) == Outcome(content, (Refusal("compact", why),))


def test_a_file_too_large_for_memory_says_so(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as stream:
        stream.write(b"\x7fELF")
        stream.truncate((1 << 28) + 1)  # a hole, which takes no room
    content = on_disk(path)
    assert compact_elf(content, relr=True, keep_eh_frame=False) == Outcome(
        content, (Refusal("compact", "it has 268,435,457 bytes, more than 268,435,456"),)
    )


def test_a_file_that_is_no_elf_is_no_refusal() -> None:
    text = Inline(b"text")
    assert compact_elf(text, relr=True, keep_eh_frame=False) == Outcome(text)


def test_damaged_files_come_back_or_are_changed_without_complaint(library: Path) -> None:
    data, dice = stripped(library), random.Random(5)
    told = set()
    for _ in range(300):
        damaged = bytearray(data[: dice.randrange(64, len(data) + 1)])
        for _ in range(dice.randrange(1, 9)):
            damaged[dice.randrange(min(len(damaged), 1200))] = dice.randrange(256)
        content = Inline(bytes(damaged))
        outcome = compact_elf(content, relr=True, keep_eh_frame=False)
        assert outcome.content.size <= len(damaged)
        told |= {each.why[:15] for each in outcome.refusals if outcome.content is content}
    assert "it is malformed" in told
