"""The members of 7z archives (``7zFormat.txt`` of the 7-Zip SDK), as far as the standard library decompresses them.

Sizes in them are whoever's: no more memory is taken than a dictionary of :data:`_LARGEST_DICTIONARY`. What is
encrypted, or packed by a method that isn't known here, is passed over.
"""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from cannery.secrets.unix_archives import ForwardMember

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.hashing import Readable
    from cannery.secrets.budget import Budget

__all__ = ["SEVEN_ZIP", "inside_seven_zip"]

SEVEN_ZIP: Final = b"7z\xbc\xaf\x27\x1c"
_START: Final = 32  # bytes before what is packed
_END, _HEADER, _STREAMS, _FILES, _PACK, _UNPACK, _PARTS, _SIZES, _DIGESTS, _FOLDER, _UNPACKED, _COUNTS, _EMPTY = (
    0x00, 0x01, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E,
)  # fmt: skip
_NAMES, _PACKED_HEADER = 0x11, 0x17
_BRANCHES: Final = {  # filters for the jumps of a processor
    b"\3\3\1\3": lzma.FILTER_X86, b"\3\3\2\5": lzma.FILTER_POWERPC, b"\3\3\4\1": lzma.FILTER_IA64,
    b"\3\3\5\1": lzma.FILTER_ARM, b"\3\3\7\1": lzma.FILTER_ARMTHUMB, b"\3\3\x08\5": lzma.FILTER_SPARC,
}  # fmt: skip
_MOST_CODERS: Final = 32
_LARGEST_HEADER: Final = 1 << 22  # bytes
_LARGEST_DICTIONARY: Final = 1 << 26  # bytes
_MOST: Final = 100_000  # folders, streams or files
_PIECE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class _Coder:
    """One way of packing, in a chain of some."""

    method: bytes
    properties: bytes = b""


@dataclass(frozen=True, slots=True)
class _Chain:
    """The coders of a folder, that which unpacks first in front: none where one has several inputs."""

    coders: tuple[_Coder, ...]
    outputs: int
    last: int  # the output that is the folder's content
    streams: int  # that are unpacked by it


@dataclass(frozen=True, slots=True)
class _Folder:
    """What is packed as one; sizes are in bytes."""

    coders: tuple[_Coder, ...]
    start: int  # in the file
    packed: int
    unpacked: int
    parts: tuple[int, ...]  # sizes of the files that lie in it one behind the other


def inside_seven_zip(file: BinaryIO, size: int, budget: Budget) -> Iterator[tuple[str, BinaryIO]]:
    """The members of a 7z archive of ``size`` bytes, each with its name."""
    header = _header(file, size)
    folders = _folders(header) if header.of(_STREAMS) else []
    names = iter(_names(header) if header.of(_FILES) else [])
    for folder in folders:
        stream = _unpacked(file, folder)
        budget.exceeded = budget.exceeded or stream is None
        for part in folder.parts:
            name = next(names, "")
            if stream is not None:
                if not budget.next_member():
                    return
                member = ForwardMember(stream, part)
                yield name, cast("BinaryIO", member)
                member.skip()


class _Fields:
    """The bytes of a header, read from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def take(self, size: int) -> bytes:
        data = self._data.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """A number, whose first byte tells by its leading ones how many follow."""
        first, value, mask = self.byte(), 0, 0x80
        for place in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * place)
            value |= self.byte() << (8 * place)
            mask >>= 1
        return value

    def count(self) -> int:
        number = self.number()
        if number > _MOST:
            raise ValueError(number)
        return number

    def of(self, kind: int) -> bool:
        """Pass over a byte that says what follows, where it is ``kind``."""
        place = self._data.tell()
        if self._data.read(1) == bytes((kind,)):
            return True
        self._data.seek(place)
        return False

    def rest(self) -> bytes:
        return self._data.read()

    def bits(self, count: int) -> list[bool]:
        data = self.take(-(-count // 8))
        return [bool(data[place >> 3] & 0x80 >> (place & 7)) for place in range(count)]


def _header(file: BinaryIO, size: int) -> _Fields:
    """The header, which lies at the end and may be packed itself, some times over."""
    file.seek(0)
    start = file.read(_START)
    offset, length = struct.unpack_from("<QQ", start, 12)
    if length > _LARGEST_HEADER or _START + offset + length > size:
        raise EOFError
    file.seek(_START + offset)
    header = _Fields(file.read(length))
    for _ in range(3):
        if not header.of(_PACKED_HEADER):
            break
        (folder,) = _folders(header)
        stream = _unpacked(file, folder)
        if stream is None or folder.unpacked > _LARGEST_HEADER:
            raise ValueError(folder)
        header = _Fields(stream.read(folder.unpacked))
    if not header.of(_HEADER):
        raise ValueError(length)
    return header


def _folders(header: _Fields) -> list[_Folder]:
    """What is packed, by the part of a header that tells of streams."""
    place, sizes = _START, [0]
    if header.of(_PACK):
        place += header.number()
        count = header.count()
        sizes = [header.number() for _ in range(count)] if header.of(_SIZES) else [0] * count
        _digests(header, count)
        _expect(header, _END)
    _expect(header, _UNPACK)
    _expect(header, _FOLDER)
    count = header.count()
    _expect(header, _END)  # the folders are here, and in no other stream
    chains = [_chain(header) for _ in range(count)]
    _expect(header, _UNPACKED)
    unpacked = [[header.number() for _ in range(chain.outputs)][chain.last] for chain in chains]
    known = _digests(header, count)
    _expect(header, _END)
    parts = _parts(header, unpacked, known)
    _expect(header, _END)
    folders = []
    for chain, size, inside in zip(chains, unpacked, parts, strict=True):
        packed, sizes = sum(sizes[: chain.streams]), sizes[chain.streams :]
        folders.append(_Folder(chain.coders, place, packed, size, tuple(inside)))
        place += packed
    return folders


def _chain(header: _Fields) -> _Chain:
    """The coders of a folder."""
    coders, inputs, outputs = [], 0, 0
    for _ in range(min(header.count(), _MOST_CODERS)):
        flags = header.byte()
        method = header.take(flags & 0x0F)
        more = (header.count(), header.count()) if flags & 0x10 else (1, 1)
        inputs, outputs = inputs + more[0], outputs + more[1]
        coders.append(_Coder(method, header.take(header.count()) if flags & 0x20 else b""))
    bound = [(header.number(), header.number())[1] for _ in range(outputs - 1)]
    last = next((each for each in range(outputs) if each not in bound), 0)
    streams = inputs - outputs + 1
    for _ in range(streams if streams > 1 else 0):
        header.number()  # which input is which stream
    if inputs != len(coders) or outputs != len(coders):
        coders = []
    return _Chain(tuple(coders if last else reversed(coders)), outputs, last, streams)


def _parts(header: _Fields, unpacked: list[int], known: list[bool]) -> list[list[int]]:
    """The sizes of the files in each folder."""
    parts = [[size] for size in unpacked]
    if not header.of(_PARTS):
        return parts
    counts = [header.count() for _ in unpacked] if header.of(_COUNTS) else [1] * len(unpacked)
    has_sizes = header.of(_SIZES)
    for place, (count, size) in enumerate(zip(counts, unpacked, strict=True)):
        sizes = [header.number() for _ in range(count - 1)] if has_sizes else []
        parts[place] = [*sizes, size - sum(sizes)] if count else []
        if min(parts[place], default=0) < 0:
            raise ValueError(size)
    _digests(header, sum(count for count, told in zip(counts, known, strict=True) if count != 1 or not told))
    _expect(header, _END)
    return parts


def _names(header: _Fields) -> list[str]:
    """The names of the files that have a content."""
    count = header.count()
    names, empty = [""] * count, [False] * count
    while (kind := header.byte()) != _END:
        fields = _Fields(header.take(header.number()))
        if kind == _EMPTY:
            empty = fields.bits(count)
        elif kind == _NAMES:
            _expect(fields, _END)
            text = fields.rest().decode("utf-16-le", "replace")
            names = [name.lstrip("/") for name in text.split("\0")][:count]
    return [name for name, is_empty in zip(names, empty, strict=False) if not is_empty]


def _digests(header: _Fields, count: int) -> list[bool]:
    """Which of ``count`` streams have a checksum; it is passed over."""
    if not header.of(_DIGESTS):
        return [False] * count
    known = [True] * count if header.byte() else header.bits(count)
    header.take(4 * sum(known))
    return known


def _expect(header: _Fields, kind: int) -> None:
    if not header.of(kind):
        raise ValueError(kind)


def _unpacked(file: BinaryIO, folder: _Folder) -> BinaryIO | None:
    """What a folder holds, as a stream; None where that can't be read."""
    stream: Readable | None = _Window(file, folder.start, folder.packed)
    coders = list(folder.coders)
    while coders and stream is not None:
        coder, filters = coders.pop(0), [*filter(None, map(_filter, coders))]
        stream = _opened(stream, coder, filters, folder.unpacked)
        del coders[: len(filters)]
    return cast("BinaryIO", stream) if folder.coders and stream is not None else None


def _filter(coder: _Coder) -> dict[str, int] | None:
    """What prepares code and samples for a packer, as the standard library has it."""
    if coder.method == b"\3":
        return {"id": lzma.FILTER_DELTA, "dist": coder.properties[0] + 1}
    return {"id": _BRANCHES[coder.method]} if coder.method in _BRANCHES else None


def _opened(stream: Readable, coder: _Coder, filters: list[dict[str, int]], size: int) -> Readable | None:
    """What ``coder`` unpacks, at most ``size`` bytes; None for a method that isn't known here."""
    properties = coder.properties
    match coder.method:
        case b"\3\1\1":
            (dictionary,) = struct.unpack_from("<I", properties, 1)
            letters, position = properties[0] % 9, properties[0] // 9
            packer = {"id": lzma.FILTER_LZMA1, "lc": letters, "lp": position % 5, "pb": position // 5}
            return _of_lzma(stream, [*filters, packer], dictionary, size)
        case b"\x21":
            dictionary = (2 | properties[0] & 1) << min(properties[0] // 2 + 11, 31)
            return _of_lzma(stream, [*filters, {"id": lzma.FILTER_LZMA2}], dictionary, size)
        case b"\0" if not filters:
            return stream
        case b"\4\1\x08" if not filters:
            return _Unpacking(stream, zlib.decompressobj(-zlib.MAX_WBITS))
        case b"\4\2\2" if not filters:
            return _Unpacking(stream, bz2.BZ2Decompressor())
    return None


def _of_lzma(stream: Readable, filters: list[dict[str, int]], dictionary: int, size: int) -> Readable | None:
    needed = max(1 << 12, min(dictionary, size))
    if needed > _LARGEST_DICTIONARY:
        return None
    filters[-1]["dict_size"] = needed
    return _Unpacking(stream, lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters))


class _Window:
    """A part of a file, as a stream."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._place, self._end = file, start, start + size

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes."""
        left = self._end - self._place
        self._file.seek(self._place)
        data = self._file.read(left if size < 0 else min(size, left))
        self._place += len(data)
        return data


class _Unpacking:
    """What a decompressor makes of a stream, read in pieces however much it is."""

    def __init__(self, stream: Readable, decompressor: Any) -> None:
        self._stream, self._decompressor, self._packed = stream, decompressor, b""

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes, and never more than a piece."""
        wanted = _PIECE if size < 0 else min(size, _PIECE)
        while wanted and not self._decompressor.eof:
            fed = self._packed or (b"" if self._is_full() else self._stream.read(_PIECE))
            data = bytes(self._decompressor.decompress(fed, wanted))
            self._packed = getattr(self._decompressor, "unconsumed_tail", b"")
            if data or (not fed and not self._is_full()):
                return data
        return b""

    def _is_full(self) -> bool:
        """True while the decompressor has more to give of what it was fed."""
        return not getattr(self._decompressor, "needs_input", True)
