"""An xz file of several blocks, each compressed in its own way and at the same time as the others.

Python's lzma compresses one block with one chain of filters, so the container is written here (The .xz File Format,
version 1.2.1), and lzma fills the blocks.
"""

from __future__ import annotations

import lzma
import struct
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

__all__ = ["XzBlock", "write_xz"]

_CHUNK: Final = 1 << 20  # bytes
_MAGIC, _MAGIC_AT_END = b"\xfd7zXZ\0", b"YZ"
_FLAGS: Final = b"\0\x01"  # every block ends with a CRC32 (section 2.1.1.2)
_PAUSE: Final = 0.1  # seconds from one look at the progress to the next


@dataclass(frozen=True, slots=True)
class XzBlock:
    """A part of a file that is compressed by itself."""

    start: int  # offset
    size: int  # bytes
    filters: Sequence[Mapping[str, Any]]  # a chain as lzma takes it, LZMA2 the last


@dataclass(slots=True)
class _Packed:
    """A block while it's compressed."""

    content: IO[bytes]  # compressed
    check: int = 0  # the CRC32 of the bytes that were read
    done: int = 0  # bytes that were read


def write_xz(source: Path, blocks: Sequence[XzBlock], stream: BinaryIO, progress: Callable[[int], object]) -> None:
    """Compress the ``blocks`` of ``source`` into ``stream``, all at the same time; the same blocks give the same bytes.

    ``progress`` is called with the number of bytes that were read by then.
    """
    with ExitStack() as stack:
        packed = [_Packed(stack.enter_context(tempfile.TemporaryFile(dir=source.parent))) for _ in blocks]
        pool = stack.enter_context(ThreadPoolExecutor(len(blocks)))
        pending: set[Future[None]] = {
            pool.submit(_compress, source, *pair) for pair in zip(blocks, packed, strict=True)
        }
        while pending:
            done, pending = wait(pending, _PAUSE)
            for each in done:
                each.result()
            progress(sum(each.done for each in packed))
        _write(stream, blocks, packed)


def _compress(source: Path, block: XzBlock, packed: _Packed) -> None:
    compressor = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=block.filters)
    with source.open("rb") as stream:
        stream.seek(block.start)
        while chunk := stream.read(min(_CHUNK, block.size - packed.done)):
            packed.content.write(compressor.compress(chunk))
            packed.check = crc32(chunk, packed.check)
            packed.done += len(chunk)
    packed.content.write(compressor.flush())


def _write(stream: BinaryIO, blocks: Sequence[XzBlock], packed: Sequence[_Packed]) -> None:
    stream.write(_MAGIC + _FLAGS + _crc(_FLAGS))
    records = b""
    for block, each in zip(blocks, packed, strict=True):
        header = _header(block.filters)
        size = each.content.tell()
        stream.write(header)
        each.content.seek(0)
        while chunk := each.content.read(_CHUNK):
            stream.write(chunk)
        stream.write(_padding(size) + struct.pack("<I", each.check))
        records += _number(len(header) + size + 4) + _number(block.size)
    index = b"\0" + _number(len(blocks)) + records
    index += _padding(len(index))
    end = struct.pack("<I", len(index) // 4) + _FLAGS  # of the index with its CRC32, in words, less one
    stream.write(index + _crc(index) + _crc(end) + end + _MAGIC_AT_END)


def _header(filters: Sequence[Mapping[str, Any]]) -> bytes:
    """A block's header (section 3.1), which doesn't say how large the block is: the index does."""
    fields = b"".join(_number(each["id"]) + _number(len(known := _properties(each))) + known for each in filters)
    length = len(fields) + 2
    length += -length % 4
    header = struct.pack("BB", length // 4, len(filters) - 1) + fields  # the length counts the CRC32, less one word
    header += b"\0" * (length - len(header))
    return header + _crc(header)


def _properties(each: Mapping[str, Any]) -> bytes:
    """LZMA2 tells how large its dictionary is (section 5.3.1), the others that are used here tell nothing."""
    if each["id"] != lzma.FILTER_LZMA2:
        return b""
    return bytes([next(bits for bits in range(40) if (2 | bits & 1) << (bits // 2 + 11) >= each["dict_size"])])


def _number(value: int) -> bytes:
    """A number of any size: seven bits a byte, the lowest first (section 1.2)."""
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _number(rest) if rest else bytes([low])


def _padding(length: int) -> bytes:
    return b"\0" * (-length % 4)


def _crc(content: bytes) -> bytes:
    return struct.pack("<I", crc32(content))
