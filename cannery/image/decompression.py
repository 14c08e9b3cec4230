"""Compressed streams, read: gzip, zstd, xz and bzip2, each known by its first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, cast

from cannery.errors import ImageError, ToolError
from cannery.workspace.extras import installing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

__all__ = ["Compression", "compression_of", "undamaged", "unzipped"]

Compression = Literal["", "bzip2", "gzip", "xz", "zstd"]  # empty for none

_BEGINNINGS: Final[dict[bytes, Compression]] = {
    b"\x1f\x8b": "gzip",  # RFC 1952
    b"\x28\xb5\x2f\xfd": "zstd",  # RFC 8878
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
}
_MOST_MEMORY: Final = 1 << 28  # bytes that decompressing may take: four times what xz -9 asks for
_PIECE: Final = 1 << 16
_DAMAGE: Final = (tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, UnicodeError)


def compression_of(beginning: bytes) -> Compression:
    """The compression of a stream that begins so; six bytes are enough to tell."""
    return next((name for magic, name in _BEGINNINGS.items() if beginning.startswith(magic)), "")


def unzipped(stream: io.BufferedIOBase | io.RawIOBase, compression: Compression) -> BinaryIO:
    """The content of ``stream``; ``stream`` itself where it is not compressed.

    Raises :class:`ToolError` for zstd where nothing is installed that reads it.
    """
    file = cast("BinaryIO", stream)
    match compression:
        case "gzip":
            return cast("BinaryIO", gzip.GzipFile(fileobj=file))
        case "zstd":
            return cast("BinaryIO", _ZstdReader(file))
        case "xz":
            return cast("BinaryIO", io.BufferedReader(_XzReader(file)))
        case "bzip2":
            return cast("BinaryIO", bz2.BZ2File(file))
    return file


@contextmanager
def undamaged(what: str, where: str = "") -> Iterator[None]:
    """Raise :class:`ImageError` for ``what``, which lies at ``where``, when the block finds that it is damaged."""
    try:
        yield
    except (*_DAMAGE, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, _DAMAGE) and error.errno is not None:
            raise  # an error of the system: those of decompressors have no number
        evidence = str(error) or type(error).__name__
        raise ImageError(
            f"{what} can't be read",
            evidence=f"{where}: {evidence}" if where else evidence,
            step="fetch or build it again",
        ) from error


class _XzReader(io.RawIOBase):
    """The content of a stream by xz, whose header says how much memory reading it takes: there's a limit to that."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = lzma.LZMADecompressor(memlimit=_MOST_MEMORY)
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True where the compressed stream can be read again."""
        return self._stream.seekable()

    def tell(self) -> int:
        """How many bytes were read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Read up to ``offset``, again from the beginning where that lies before."""
        if whence == io.SEEK_CUR:
            offset += self._at
        elif whence != io.SEEK_SET:
            raise io.UnsupportedOperation("the end isn't known")
        if offset < self._at:
            self._stream.seek(0)
            self._decoder, self._at = lzma.LZMADecompressor(memlimit=_MOST_MEMORY), 0
        while self._at < offset and self._next(min(_PIECE, offset - self._at)):
            pass
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read into ``buffer``; raises :class:`lzma.LZMAError` for what isn't xz, or takes more memory."""
        view = memoryview(buffer)
        data = self._next(len(view))
        view[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        """Some of the content, up to ``size`` bytes; nothing at the end."""
        while True:
            fresh = b""
            if self._decoder.eof:  # another stream may follow, behind zeros (xz-file-format, 2.2)
                fresh = (self._decoder.unused_data or self._stream.read(_PIECE)).lstrip(b"\0")
                if not fresh:
                    return b""
                self._decoder = lzma.LZMADecompressor(memlimit=_MOST_MEMORY)
            elif self._decoder.needs_input and not (fresh := self._stream.read(_PIECE)):
                raise EOFError("it ends in the middle of what xz compressed")
            if data := self._decoder.decompress(fresh, size):
                self._at += len(data)
                return data


class _ZstdReader(io.RawIOBase):
    """The content of a stream that zstd compressed, read by Python's own module or by that of an extra."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._error = _opened_zstd(stream)

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read; raises :class:`EOFError` for data that isn't zstd, whichever module reads it."""
        try:
            return self._stream.read(size)
        except self._error as error:
            raise EOFError(str(error)) from error


def _opened_zstd(stream: BinaryIO) -> tuple[BinaryIO, type[Exception]]:
    try:
        from compression import zstd  # type: ignore[import-not-found]  # noqa: PLC0415  # Python 3.14 and later

        return cast("BinaryIO", zstd.ZstdFile(stream)), zstd.ZstdError
    except ImportError:
        pass
    try:
        import zstandard  # noqa: PLC0415
    except ImportError as error:
        raise ToolError("a layer is compressed with zstd", step=installing("zstd")) from error
    reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True, closefd=False)
    return cast("BinaryIO", reader), zstandard.ZstdError
