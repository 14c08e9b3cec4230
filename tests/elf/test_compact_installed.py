"""Compacting what real people build: in memory it's the same, for whichever processor."""

from __future__ import annotations

import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from cannery.elf.constants import PF_W
from cannery.elf.rewrite import LoadedElf
from cannery.elf.spans import Span
from cannery.elf.strip import strip_elf
from tests.support.elf_files import WITH_POINTERS, compacted, on_disk, read

pytestmark = [pytest.mark.once, pytest.mark.slow]

RELA, RELASZ, RELR, RELRSZ, PT_DYNAMIC = 7, 8, 36, 35, 2
RELATIVE = {62: 8, 183: 1027}
BASE = 0x7F0000000000


def in_memory(data: bytes) -> dict[Span, bytes]:
    """The segments that are code or data, as they are when they're loaded, less the dynamic segment."""
    program = LoadedElf.read(data)
    assert program is not None
    memory = {each.span: bytearray(program.at(each.span)) for each in program.loaded() if each.flags & 3}

    def write(place: int, change: int, *, added: bool) -> None:
        span = next(span for span in memory if span.start <= place < span.stop)
        before = struct.unpack_from("<Q", memory[span], place - span.start)[0] if added else 0
        struct.pack_into("<Q", memory[span], place - span.start, (before + change) % (1 << 64))

    table = program.at(Span.sized(program.tag(RELA) or 0, program.tag(RELASZ) or 0)) if program.tag(RELASZ) else b""
    for place, info, addend in struct.iter_unpack("<QQq", table):
        if info & 0xFFFFFFFF == RELATIVE[program.header.machine]:
            write(place, BASE + addend, added=False)
    words = program.at(Span.sized(program.tag(RELR) or 0, program.tag(RELRSZ) or 0)) if program.tag(RELRSZ) else b""
    next_place = 0
    for (word,) in struct.iter_unpack("<Q", words):
        if word % 2 == 0:
            write(word, BASE, added=True)
            next_place = word + 8
            continue
        for bit in range(63):
            if word >> (bit + 1) & 1:
                write(next_place + 8 * bit, BASE, added=True)
        next_place += 63 * 8
    dynamic = next(each.span for each in program.segments if each.type == PT_DYNAMIC)
    for span, content in memory.items():
        if span.start <= dynamic.start < span.stop:
            content[dynamic.start - span.start : dynamic.stop - span.start] = bytes(dynamic.size)
    return {span: bytes(content) for span, content in memory.items()}


def check(path: Path) -> tuple[int, int]:
    before = read(strip_elf(on_disk(path)).content)
    after = compacted(before, relr=True, keep_eh_frame=False)
    was, now = in_memory(before), in_memory(after)
    assert [span.start for span in was] == [span.start for span in now]
    for (whole, content), (span, same) in zip(was.items(), now.items(), strict=True):
        assert span == whole or span.stop < whole.stop  # an old linker put tables at the end of the code
        assert span != whole or content == same, path
    return len(before), len(after)


@pytest.mark.parametrize("name", ["numpy", "polars", "_polars_runtime_32", "msgspec"])
def test_the_libraries_of_a_package(name: str) -> None:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        pytest.skip(f"{name} is not installed")
    folder = Path(spec.origin).parent
    paths = [*folder.rglob("*.so"), *folder.with_name(f"{name}.libs").glob("*.so*")]
    sizes = [check(path) for path in paths if LoadedElf.read(path.read_bytes()[: 1 << 30]) is not None]
    assert sum(after for _, after in sizes) <= sum(before for before, _ in sizes)


def test_this_python_and_its_extension_modules() -> None:
    executable = Path(sys.executable).resolve()
    libraries = executable.parents[1] / "lib"
    for path in [executable, *libraries.glob("libpython3.*.so.*"), *libraries.glob("python3.*/lib-dynload/*.so")]:
        if not path.is_symlink():
            check(path)


@pytest.mark.once
@pytest.mark.parametrize("target", ["aarch64-linux-gnu", "x86_64-linux-gnu"])
@pytest.mark.parametrize("pages", ["4096", "65536"])
def test_a_library_for_each_processor_and_size_of_pages(tmp_path: Path, target: str, pages: str) -> None:
    pytest.importorskip("ziglang")
    source, made = tmp_path / "library.c", tmp_path / "liblld.so"
    source.write_text(WITH_POINTERS)
    options = ("-shared", "-fPIC", "-O1", f"-Wl,-z,max-page-size={pages}", "-Wl,-z,now")
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, *options, "-o", str(made), str(source)]
    subprocess.run(command, check=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    before, after = check(made)
    assert after < before - max(0, 3000 * 20 - 2 * int(pages))
    program = LoadedElf.read(compacted(read(strip_elf(on_disk(made)).content), relr=True, keep_eh_frame=False))
    assert program is not None
    assert all((each.vaddr - each.offset) % int(pages) == 0 for each in program.loaded())
    assert any(each.flags & PF_W for each in program.loaded())
