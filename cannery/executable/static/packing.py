"""Packing: the executable compressed, behind a small one that unpacks it into memory and executes it."""

from __future__ import annotations

import io
import json
import lzma
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cannery.elf.components import mark_in
from cannery.elf.constants import PF_X, PT_LOAD, SHF_EXECINSTR
from cannery.elf.headers import ElfReader
from cannery.errors import ToolError
from cannery.executable.kit.package_note import note_of_kit
from cannery.executable.kit.toolchain import toolchain
from cannery.executable.static.columns import absolute_branches, columns_of
from cannery.executable.static.link import LAUNCHER, LINK, WARNINGS, embed
from cannery.image.tree import Decision
from cannery.workspace.extras import installing
from cannery.workspace.files import explained
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cannery.executable.kit.kit import Kit
    from cannery.executable.static.archive import ModuleArchive
    from cannery.executable.static.libraries import LinkedLibraries
    from cannery.workspace.workspace import Workspace

__all__ = ["LARGE", "Rearranged", "by_zstd", "check_packing", "code_in", "pack", "rearranged"]

_LEVEL = 19  # of zstd: some 1.2 MB a second
LARGE = 1 << 26  # bytes of a part from which on zstd uses all processors; how many they are changes no byte of it
_DICTIONARY = 1 << 24  # bytes that xz looks back, and that unpacking takes besides the executable's own
_CACHES = """
import json, opcode
entries = opcode._inline_cache_entries  # by opcode, or since 3.13 by name
if hasattr(entries, "get"):
    entries = [entries.get(name, 0) for name in opcode.opname[:256]]
print(json.dumps({"entries": entries}))
"""


def check_packing(packing: str) -> None:
    """Raise :class:`ToolError` where the compressor for ``packing`` isn't installed."""
    if packing == "zstd" and find_spec("zstandard") is None:
        step = f"{installing('static')}; or set  [tool.cannery.static]  packing = 'xz' or 'none'"
        raise ToolError("zstandard is not installed: it packs the executable", step=step)


def pack(
    kit: Kit,
    source: Path,
    archive: ModuleArchive,
    libraries: LinkedLibraries,
    packing: str,
    target: Path,
    workspace: Workspace,
) -> tuple[Decision, ...]:
    """Write ``source``, an executable with ``archive`` and ``libraries`` inside, to ``target``, packed by ``packing``.

    Returned are decisions on modules whose bytecode wasn't rearranged, and so takes more room. Raises
    :class:`ToolError` where the stub that unpacks can't be compiled.
    """
    if packing == "none":
        shutil.copy(source, target)
        return ()
    workspace.progress(f"packing {source.stat().st_size / 1e6:.0f} MB by {packing}")
    program, caches = source.read_bytes(), _inline_caches(kit, workspace)
    code = code_in(program, libraries)
    executable = rearranged(program, archive.bytecode, code, caches, kit.target.platform)
    if packing == "xz":
        packed_parts = [_xz(b"".join(executable.parts))]
    else:
        with ThreadPoolExecutor() as pool:
            packed_parts = [*pool.map(by_zstd, executable.parts)]
    tools = toolchain(kit.target, workspace)
    with workspace.cache.scratch() as folder, explained(folder):
        (folder / "packed").write_bytes(b"".join(packed_parts))
        embedded = embed("packed", "packed", mark_in(program)) + note_of_kit(kit).assembly
        (folder / "packed.S").write_text(embedded, encoding="utf-8")
        (folder / "packed.h").write_text(executable.header(), encoding="utf-8")
        for name in ("stub.c", "columns.h"):
            shutil.copy(LAUNCHER / name, folder)
        how = f"-DXZ_DICTIONARY={_DICTIONARY}" if packing == "xz" else f"-DPACKED_REST={len(packed_parts[0])}"
        flags = (*WARNINGS, how, f"-I{kit.include}")
        objects = tools.compile([folder / "stub.c", folder / "packed.S"], folder, flags)
        library = kit.folder / "lib" / ("liblzma.a" if packing == "xz" else "libzstd.a")
        tools.run(*tools.compiler, *LINK, *map(str, objects), str(library), "-o", str(target), cwd=folder)
    paths = archive.bytecode_paths
    return tuple(
        Decision(paths[position], "put bytecode into columns", why, len(archive.bytecode[position]))
        for position, why in executable.stayed.items()
    )


@dataclass(frozen=True, slots=True)
class Rearranged:
    """An executable in two parts, which compress well: one without the bytecode, and that in columns."""

    size: int  # bytes, as it was
    code: Sequence[tuple[int, int]]  # offset and size of each piece of machine code
    modules: tuple[int, int]  # offset and size of the bytecode
    caches: Sequence[int]  # by opcode: the code units of inline cache behind the instruction
    parts: tuple[bytes, bytes]  # the rest, from the end of the bytecode round to its beginning; and the columns
    columns: tuple[int, ...]  # the size of each
    stayed: Mapping[int, str]  # positions of modules of which not all is in columns, and why

    def header(self) -> str:
        """C: the numbers that ``launcher/stub.c`` puts the executable back by."""
        code = " ".join(f"each({start}ul, {size})" for start, size in self.code)
        return "\n".join((
            "#include <stdint.h>",
            f"#define UNPACKED {self.size}ul",
            f"#define COLUMNS_SIZE {len(self.parts[1])}ul",
            f"#define MODULES_START {self.modules[0]}ul",
            f"#define MODULES_SIZE {self.modules[1]}ul",
            f"#define EACH_CODE(each) {code}",
            f"static const uint8_t caches[256] = {{{', '.join(map(str, self.caches))}}};",
            f"static const uint32_t sizes[] = {{{', '.join(map(str, self.columns))}}};",
            "",
        ))  # fmt: skip


def rearranged(
    executable: bytes,
    modules: Sequence[bytes],
    code: Sequence[tuple[int, int]],
    caches: Sequence[int],
    platform: str,
) -> Rearranged:
    """``executable`` in an order that compresses better.

    ``modules`` is the bytecode in it, one after another, ``code`` the offset and the size of each piece of machine
    code.
    """
    bytecode = b"".join(modules)
    start = executable.index(bytecode)
    changed = bytearray(executable)
    for offset, size in code:
        changed[offset : offset + size] = absolute_branches(executable[offset : offset + size], platform)
    rest = bytes(changed[start + len(bytecode) :] + changed[:start])
    columns, stayed = columns_of(modules, caches)
    return Rearranged(
        size=len(executable),
        code=code,
        modules=(start, len(bytecode)),
        caches=caches,
        parts=(rest, b"".join(columns)),
        columns=tuple(map(len, columns)),
        stayed=stayed,
    )


def code_in(executable: bytes, libraries: LinkedLibraries) -> list[tuple[int, int]]:
    """Offset and size of each piece of machine code in ``executable``: its own, and that of the ``libraries`` inside.

    Its own is the largest section of it; a library's are the segments that can be executed.
    """
    sections = ElfReader(io.BytesIO(executable), len(executable)).sections()
    own = max((each for each in sections if each.flags & SHF_EXECINSTR), key=lambda each: each.size)
    pieces = [(own.offset, own.size)]
    for content in libraries.contents:
        with content.open() as stream:
            data = stream.read()
        start = executable.index(data)
        segments = ElfReader(io.BytesIO(data), len(data)).segments()
        code = [each for each in segments if each.type == PT_LOAD and each.flags & PF_X]
        pieces += [(start + each.offset, each.filesz) for each in code]
    return pieces


def _inline_caches(kit: Kit, workspace: Workspace) -> list[int]:
    """By opcode of the kit's Python: how many code units of inline cache follow the instruction."""
    key = key_of("inline caches", code_key(__name__), kit.interpreter.fingerprint)
    found = workspace.cache.recall("inline-caches", key)
    if found is None:
        command = [str(kit.interpreter.executable), "-I", "-S", "-c", _CACHES]
        found = json.loads(workspace.run(command).stdout)
        workspace.cache.remember("inline-caches", key, found)
    return list(found["entries"])


def by_zstd(data: bytes) -> bytes:
    """``data`` as one frame of zstd: the same bytes on every machine."""
    import zstandard  # noqa: PLC0415  # it may not be installed

    try:
        threads = -1 if len(data) >= LARGE else 0
        return zstandard.ZstdCompressor(level=_LEVEL, threads=threads, write_checksum=False).compress(data)
    except zstandard.ZstdError as error:
        raise MemoryError(str(error)) from error  # nothing else can fail


def _xz(data: bytes) -> bytes:
    """LZMA2 without the container of an xz file: reading that takes a third of the code that unpacks."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": _DICTIONARY}]
    return lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters)
