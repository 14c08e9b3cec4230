"""Wheels: site-packages in an archive that installers take (packaging.python.org, binary distribution format).

The same tree gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cannery import __version__
from cannery.errors import ProjectError
from cannery.image.content import Inline
from cannery.image.tree import File, Tree
from cannery.workspace.files import explained, replacing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.tags import Tag

__all__ = ["read_wheel", "write_wheel"]

_SMALL = 1 << 26  # bytes that any wheel may unpack to
_MOST = 100  # times its size that a larger one may
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can hold


def read_wheel(path: Path) -> Tree:
    """The files that a wheel puts into site-packages, with that as the root; less RECORD and WHEEL.

    Raises :class:`MachineError` where the file can't be read, :class:`ProjectError` where it's no wheel, or a name in
    it leaves the folder that it's unpacked in.
    """
    entries = {}
    with explained(path, "read"), _whole(path), zipfile.ZipFile(path) as archive:
        _refuse_bomb(path, archive)
        for member in archive.infolist():
            if not member.is_dir() and not member.filename.endswith((".dist-info/RECORD", ".dist-info/WHEEL")):
                executable = member.external_attr >> 16 & 0o100
                content = Inline(archive.read(member))
                entries[_place(member.filename, path)] = File(content, 0o755 if executable else 0o644)
    return Tree(entries)


def _refuse_bomb(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise :class:`ProjectError` for a wheel that unpacks to far more than its size."""
    size = sum(member.file_size for member in archive.infolist())
    if size > max(_SMALL, _MOST * path.stat().st_size):
        what = f"{path} unpacks to {size:,} bytes, which is too much for its size"
        raise ProjectError(what, step="don't trust this wheel, or tell who made it")


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Turn what reading an archive that is none raises into a :class:`ProjectError`."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        OverflowError,
    ) as error:
        raise ProjectError(f"{path} is no wheel", evidence=str(error), step="have it made anew") from error


def _place(name: str, path: Path) -> str:
    """The path of the member ``name`` of the wheel ``path`` in a tree."""
    if name.startswith("/") or "\\" in name or ".." in name.split("/"):
        what = f"{path} holds {name!r}, which leaves the folder that it's unpacked in"
        raise ProjectError(what, step="don't trust this wheel, or tell who made it")
    return f"/{posixpath.normpath(name)}"


def write_wheel(tree: Tree, folder: Path, tag: Tag) -> Path:
    """Write the wheel of ``tree`` into ``folder``; returns its path.

    The tree is that of :func:`read_wheel`; the wheel works on the platforms of ``tag``. Raises :class:`ProjectError`
    where the tree has no metadata.
    """
    info = _dist_info(tree)
    wheel = f"Wheel-Version: 1.0\nGenerator: cannery {__version__}\nRoot-Is-Purelib: false\nTag: {tag}\n"
    whole = tree + Tree({f"{info}/WHEEL": File(Inline(wheel.encode()))})
    path = folder / f"{info.strip('/').removesuffix('.dist-info')}-{tag}.whl"
    record: list[str] = []
    with (
        replacing(path, made_here=b"PK\x03\x04") as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, file in whole.files():
            with file.content.open() as content:
                data = content.read()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{_quoted(name[1:])},sha256={digest},{len(data)}")
            _write(archive, name[1:], data, file.mode)
        record.append(f"{_quoted(info[1:])}/RECORD,,")
        _write(archive, f"{info[1:]}/RECORD", "".join(f"{line}\n" for line in record).encode(), 0o644)
    return path


def _dist_info(tree: Tree) -> str:
    for path, _ in tree:
        if path.endswith(".dist-info/METADATA") and path.count("/") == 2:  # noqa: PLR2004  # at the top
            return path.removesuffix("/METADATA")
    raise ProjectError("the wheel has no metadata", step="see what the build backend makes of the project: uv build")


def _write(archive: zipfile.ZipFile, name: str, data: bytes, mode: int) -> None:
    member = zipfile.ZipInfo(name, _TIME)
    member.external_attr = (0o100000 | mode) << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(member, data)


def _quoted(name: str) -> str:
    """A path as a field of RECORD, which is CSV."""
    return '"' + name.replace('"', '""') + '"' if {",", '"'} & set(name) else name
