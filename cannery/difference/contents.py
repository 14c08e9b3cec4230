"""The bytes of two files, compared: where they begin to differ, how many do, and what lies there."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.elf.headers import MAGIC

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BytesChange", "compared_bytes", "module_of"]

_PIECE: Final = 1 << 20  # bytes
_PYC_HEADER: Final = 16  # bytes (PEP 552)
_PYC_FIELDS: Final = (
    (0, 4, "the version of Python"),
    (4, 8, "its kind"),
    (8, _PYC_HEADER, "what it says of its source"),
)
_FOLDERS: Final = re.compile(r".*/(?:site-packages|dist-packages|python\d\.\d+(?:/lib-dynload)?|python\d+\.zip|app)/")
_TEXT: Final = 1 << 16  # bytes that are looked at to tell whether a file is a text
_MOST_MEMBERS: Final = 5  # of an archive, named


class BytesChange(NamedTuple):
    """How the bytes of a file differ from those that it had."""

    first: int  # where, from 0
    differing: int  # how many differ, of those that both have places for
    sizes: tuple[int, int]
    what: str  # lies there, for people: "bytecode of json.decoder: its code"; empty where nothing is known


def compared_bytes(path: str, before: Path, after: Path) -> BytesChange:
    """How ``after`` differs from ``before``; ``path`` is that of both in their images, by which their kind is known."""
    first, count = -1, 0
    at = 0
    with before.open("rb") as old, after.open("rb") as new:
        while (one := old.read(_PIECE)) and (other := new.read(_PIECE)):
            length = min(len(one), len(other))
            both = (int.from_bytes(each[:length]) for each in (one, other))
            different = (next(both) ^ next(both)).to_bytes(length)
            count += length - different.count(0)
            if first < 0 and any(different):
                first = at + length - len(different.lstrip(b"\0"))
            at += length
    sizes = before.stat().st_size, after.stat().st_size
    first = min(sizes) if first < 0 else first
    return BytesChange(first, count, sizes, _what(path, before, after, first))


def _what(path: str, before: Path, after: Path, first: int) -> str:
    if path.endswith(".pyc"):
        return f"bytecode of {module_of(path)}: {_in_bytecode(before, after)}"
    if zipfile.is_zipfile(before) and zipfile.is_zipfile(after):
        return _in_archives(path, before, after)
    with before.open("rb") as file:
        beginning = file.read(_TEXT)
        if beginning.startswith(MAGIC):
            return "an ELF file"
        if b"\0" in beginning:
            return ""
        file.seek(0)
        return f"a text: line {file.read(first).count(bytes([10])) + 1}"


def _in_bytecode(before: Path, after: Path) -> str:
    """The parts of a .pyc that differ."""
    old, new = (each.read_bytes() for each in (before, after))
    found = [name for start, end, name in _PYC_FIELDS if old[start:end] != new[start:end]]
    if old[_PYC_HEADER:] != new[_PYC_HEADER:]:
        found.append("its code")
    return " and ".join(found)


def module_of(path: str) -> str:
    """The module whose bytecode or source is at ``path`` of an image, as far as the folders above it tell."""
    relative = _FOLDERS.sub("", path).lstrip("/").replace("__pycache__/", "")
    name = re.sub(r"(\.cpython-\d+(?:\.opt-\d)?)?\.pyc?$", "", relative).replace("/", ".")
    return name.removesuffix(".__init__") or name


def _in_archives(path: str, before: Path, after: Path) -> str:
    """The members that differ, by name."""
    try:
        old, new = (_members(each) for each in (before, after))
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return "an archive that can't be read"
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if not names:
        return "an archive whose members have the same contents"
    shown = [module_of(f"{path}/{name}") if name.endswith(".pyc") else name for name in names[:_MOST_MEMBERS]]
    more = f" and {len(names) - len(shown):,} more" if len(names) > len(shown) else ""
    return f"an archive: {', '.join(shown)}{more}"


def _members(path: Path) -> dict[str, tuple[int, int]]:
    with zipfile.ZipFile(path) as archive:
        return {each.filename: (each.CRC, each.file_size) for each in archive.infolist()}
