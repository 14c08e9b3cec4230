"""What a layer has in it, as far as an inventory asks: files with their digests, and texts that tell of others."""

from __future__ import annotations

import hashlib
import io
import lzma
import posixpath
import re
import zipfile
from typing import IO, TYPE_CHECKING, BinaryIO, Final, NamedTuple

from cannery.elf.components import ComponentSearch
from cannery.elf.headers import MAGIC
from cannery.elf.package_notes import PackageNote, notes_in
from cannery.image.decompression import compression_of, undamaged, unzipped
from cannery.image.hashing import buffered, pieces
from cannery.image.tar import members
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.image.tree import Tree

__all__ = ["ContainedFile", "contained_files", "files_of_tree"]

_PIECE: Final = 1 << 20  # bytes that are looked at in one go
_OVERLAP: Final = 1 << 10  # of them that are looked at again with the next: a text may lie across both
_LARGEST_TEXT: Final = 1 << 24  # bytes
_LARGEST_ARCHIVE: Final = 1 << 29  # bytes of an archive whose members are listed
# The files that tell of others: metadata of Python distributions (PEP 376, PEP 770), data bases of systems' packages
_TEXTS: Final = re.compile(
    r"""
    .*\.(?:dist|egg)-info/(?:METADATA|PKG-INFO|RECORD|SOURCES\.txt|top_level\.txt|sboms/[^/]+\.json)
    | .*\.egg-info
    | /(?:etc|usr/lib)/os-release
    | /var/lib/dpkg/(?:status|status\.d/[^/]+|info/[^/]+\.(?:list|md5sums))
    | /lib/apk/db/installed
    | /usr/share/sbom/image\.cdx\.json
    """,
    re.VERBOSE,
)


class ContainedFile(NamedTuple):
    """A regular file of a layer, or a member of an archive of modules that lies in it."""

    path: str  # in the image; of a member below the archive's: /usr/local/lib/python311.zip/json/decoder.pyc
    sha256: str  # empty for a member of an archive
    elf: bool = False
    components: tuple[tuple[str, str, str], ...] = ()  # what an ELF file tells of itself, as Component has it
    text: str = ""  # of a file that tells of others
    notes: tuple[PackageNote, ...] = ()  # of an ELF file: which packages it says that it is of


def contained_files(blob: Path, name: str) -> Iterator[ContainedFile]:
    """The files of the layer in the file ``blob``, in their order; ``name`` is for messages.

    Raises :class:`ImageError` where the blob is no layer, or damaged.
    """
    with explained(blob, "read"), blob.open("rb") as file, undamaged(name, str(blob)):
        stream = unzipped(file, compression_of(file.peek(8)))
        for member, content in members(stream):
            if content is not None:
                yield from _read(posixpath.normpath(f"/{member.name.lstrip('/')}"), member.size, content)
        while stream.read(1 << 16):  # checksums at the end are compared
            pass


def files_of_tree(tree: Tree) -> list[ContainedFile]:
    """The same of a small tree that is to become a layer."""
    found: list[ContainedFile] = []
    for path, file in tree.files():
        with file.content.open() as stream:
            found += _read(path, file.content.size, stream)
    return found


def _read(path: str, size: int, content: BinaryIO) -> Iterator[ContainedFile]:
    """The file at ``path``, after the members of the archive of modules that it is."""
    if path.endswith(".zip") and size <= _LARGEST_ARCHIVE:
        data = b"".join(pieces(content))
        yield from _members(path, data)
        yield ContainedFile(path, hashlib.sha256(data).hexdigest())
    elif _TEXTS.fullmatch(path) and size <= _LARGEST_TEXT:
        data = b"".join(pieces(content))
        yield ContainedFile(path, hashlib.sha256(data).hexdigest(), text=data.decode("utf-8", "replace"))
    elif path.endswith(".xz"):  # as the recipe tiny has large libraries
        hashed = _Hashed(content)
        told = _unpacked(hashed)
        yield ContainedFile(path, hashed.finished(), told.elf, told.components, notes=told.notes)
    else:
        hashed = _Hashed(content)
        told = _searched(hashed)
        yield ContainedFile(path, hashed.finished(), told.elf, told.components, notes=told.notes)


class _Hashed(io.RawIOBase):
    """A stream that can be read on, and the digest of all that it has."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # what io asks for, and typeshed hides
        """Read a piece into ``buffer``."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._sha256.update(data)
        return len(data)

    def finished(self) -> str:
        """The digest in hexadecimal digits, after the rest was read."""
        while data := self._stream.read(_PIECE):
            self._sha256.update(data)
        return self._sha256.hexdigest()


class _Told(NamedTuple):
    """What a file tells of itself."""

    elf: bool = False
    components: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[PackageNote, ...] = ()


def _searched(stream: IO[bytes] | _Hashed) -> _Told:
    """What an ELF file tells of itself; nothing of any other."""
    before, data = b"", stream.read(len(MAGIC)) or b""
    if data != MAGIC:
        return _Told()
    search, notes = ComponentSearch(), set[PackageNote]()
    while data:
        search.look(before + data)
        notes.update(notes_in(before + data))
        before, data = data[-_OVERLAP:], stream.read(_PIECE) or b""
    components = tuple((each.name, each.version, each.changed) for each in search.found())
    return _Told(elf=True, components=components, notes=tuple(sorted(notes)))


def _unpacked(stream: _Hashed) -> _Told:
    """The same of a file that is compressed; nothing of one that only has such a name."""
    try:
        with unzipped(buffered(stream), "xz") as content:
            return _searched(content)
    except (lzma.LZMAError, EOFError):
        return _Told()


def _members(path: str, data: bytes) -> Iterator[ContainedFile]:
    """The members of an archive; none for a file that only has its name."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for each in archive.infolist():
                if not each.is_dir():
                    yield ContainedFile(f"{path}/{each.filename}", "")
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return
