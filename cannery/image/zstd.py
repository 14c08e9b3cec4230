"""Reading what zstd compressed (RFC 8878), with Python's own reader or the one of an extra."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from cannery.errors import ToolError

__all__ = ["ZstdReader"]


class ZstdReader(io.RawIOBase):
    """What ``stream`` unzips to; raises :class:`ToolError` where nothing here can read it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._error = _opened(stream)

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read; raises :class:`EOFError` for what isn't zstd, as other readers do for what they can't read."""
        try:
            return self._stream.read(size)
        except self._error as error:
            raise EOFError(str(error)) from error


def _opened(stream: BinaryIO) -> tuple[BinaryIO, type[Exception]]:
    try:
        from compression import zstd  # type: ignore[import-not-found]  # noqa: PLC0415  # Python 3.14 and later

        return cast("BinaryIO", zstd.ZstdFile(stream)), zstd.ZstdError
    except ImportError:
        pass
    try:
        import zstandard  # noqa: PLC0415
    except ImportError as error:
        raise ToolError("a layer is compressed with zstd", step='pip install "cannery[zstd]"') from error
    reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True, closefd=False)
    return cast("BinaryIO", reader), zstandard.ZstdError
