"""Names, docstrings and literals that anybody can read in a compiled module.

Cython takes the source away, and encrypts nothing: the texts of a module lie in its data, one behind the other. From
Cython 3.2 on they are compressed in a known format.
"""

from __future__ import annotations

import bz2
import re
import zlib
from typing import TYPE_CHECKING, Final

from cannery.elf.headers import ElfReader, MalformedElfError
from cannery.elf.sections import SectionTable
from cannery.python.cython_strings import decompressed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.content import Content

__all__ = ["readable_strings", "unpacked_texts", "unpacked_texts_of"]

_LARGEST: Final = 1 << 25  # bytes: no module that people write comes near
_TEXT: Final = re.compile(rb"[\t\n\x20-\x7e\xc2-\xf4\x80-\xbf]{4,}")
# What Cython itself puts into each module
_CYTHONS: Final = re.compile(
    r"%[.\d]*l?z?[sdUSR]|[Cc]ython|cyfunction|__pyx|Py[A-Z][a-z]+_|__reduce|unpack|argument|builtins?$|GLIBC|\.c$|\.so"
)
_SECTIONS: Final = (b".rodata", b".data", b".data.rel.ro")
_SHORTEST: Final = 4
_LONGEST_MESSAGE: Final = 200  # letters: a longer line is no message of Cython's, but texts of the module in a row
_LEAST: Final = 64  # bytes: shorter texts are not compressed
_NOISE: Final = 8  # bytes: where so many in a row are no text, the text has ended before


def readable_strings(content: Content) -> tuple[str, ...]:
    """The texts in an extension module that Cython made, in the order of the file; what Cython adds is left out."""
    if content.size > _LARGEST:
        return ()
    found: dict[str, None] = {}
    for data in _constants(content):
        for text in (*unpacked_texts(data), *(match[0] for match in _TEXT.finditer(data))):
            for line in text.decode("utf-8", "ignore").split("\0"):
                if len(line) >= _SHORTEST and (len(line) > _LONGEST_MESSAGE or not _CYTHONS.search(line)):
                    found[line] = None
    return tuple(found)


def unpacked_texts_of(content: Content) -> Iterator[bytes]:
    """The texts that Cython packed in an extension module, unpacked."""
    if content.size <= _LARGEST:
        for data in _constants(content):
            yield from unpacked_texts(data)


def unpacked_texts(data: bytes) -> Iterator[bytes]:
    """The texts that are packed somewhere in ``data``, by any of the ways that Cython has."""
    for start in range(len(data)):
        if data[start - 1 : start] in {b"\0", b""} and (text := _unpacked_at(data, start)):
            yield text


def _constants(content: Content) -> Iterator[bytes]:
    """The parts of the file that hold constants."""
    with content.open() as stream:
        try:
            reader = ElfReader(stream, content.size)
            table = SectionTable.read(reader)
            for section, name in zip(table.sections, table.names, strict=True):
                if name.startswith(_SECTIONS):
                    yield reader.at(section.offset, section.size)
        except (MalformedElfError, IndexError):
            stream.seek(0)
            yield stream.read()


def _unpacked_at(data: bytes, start: int) -> bytes:
    if data.startswith((b"x\x9c", b"x\xda"), start):
        return _of_zlib(data[start:])
    if data.startswith(b"BZh", start):
        return _of_bz2(data[start:])
    return _of_lzss(data, start)


def _of_zlib(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _LARGEST)
    except zlib.error:
        return b""


def _of_bz2(data: bytes) -> bytes:
    try:
        return bz2.BZ2Decompressor().decompress(data, _LARGEST)
    except (OSError, EOFError):
        return b""


def _of_lzss(data: bytes, start: int) -> bytes:
    """The text that is compressed at ``start``; empty where it is hardly longer than the compressed bytes."""
    text, end = bytearray(), start
    for piece in decompressed(data, start):
        text, end = piece
        if not _is_text(text[-_NOISE:]):
            break
    while text and not _is_text(text[-1:]):
        text.pop()
    return bytes(text) if len(text) >= _LEAST and len(text) > end - start else b""


def _is_text(data: bytes | bytearray) -> bool:
    """True if less than half of the bytes are some that texts don't have."""
    return 2 * sum(byte < 0x20 and byte not in b"\t\n\r" for byte in data) < max(len(data), 1)  # noqa: PLR2004
