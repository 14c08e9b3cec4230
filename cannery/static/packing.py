"""Packing: the executable compressed, behind a small one that unpacks it into memory and executes it."""

from __future__ import annotations

import lzma
import shutil
from typing import TYPE_CHECKING

from cannery.errors import ToolError
from cannery.files import explained
from cannery.static.link import LAUNCHER, LINK, WARNINGS, embed
from cannery.static.toolchain import toolchain

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.static.kit import Kit
    from cannery.static.toolchain import Target
    from cannery.workspace import Workspace

__all__ = ["pack"]

_LEVEL = 19  # of zstd


def pack(kit: Kit, source: Path, packing: str, target: Path, workspace: Workspace) -> None:
    """Write ``source``, an executable, to ``target`` by ``packing``: none, zstd or xz."""
    if packing == "none":
        shutil.copy(source, target)
        return
    workspace.progress(f"packing by {packing}")
    data = source.read_bytes()
    packed = _xz(data, kit.target) if packing == "xz" else _zstd(data)
    tools = toolchain(kit.target, workspace)
    with workspace.cache.scratch() as folder, explained(folder):
        (folder / "packed").write_bytes(packed)
        (folder / "packed.S").write_text(embed("packed", "packed"), encoding="utf-8")
        shutil.copy(LAUNCHER / "stub.c", folder)
        flags = (*WARNINGS, f"-DUNPACKED={len(data)}ul", *(("-DXZ",) if packing == "xz" else ()), f"-I{kit.include}")
        objects = tools.compile([folder / "stub.c", folder / "packed.S"], folder, flags)
        library = kit.folder / "lib" / ("liblzma.a" if packing == "xz" else "libzstd.a")
        tools.run(*tools.compiler, *LINK, *map(str, objects), str(library), "-o", str(target), cwd=folder)


def _zstd(data: bytes) -> bytes:
    try:
        import zstandard  # noqa: PLC0415
    except ImportError as error:
        step = 'run: pip install "cannery[static]", or set  packing = "xz" or "none"'
        raise ToolError("zstandard is not installed: it packs the executable", step=step) from error
    try:
        return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=False).compress(data)
    except zstandard.ZstdError as error:
        raise MemoryError(str(error)) from error  # nothing else can fail


def _xz(data: bytes, target: Target) -> bytes:
    """What is mostly machine code, with jumps made alike where that is known to help."""
    jumps = [{"id": lzma.FILTER_X86}] if target.platform == "linux/amd64" else []
    filters = [*jumps, {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]
    return lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=filters)
