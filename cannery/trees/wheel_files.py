"""The files of installed wheels: known by a record, so that wheels are only installed where somebody reads one."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.errors import RequirementsError
from cannery.image.content import Inline, OnDisk
from cannery.image.layer import WHITEOUT
from cannery.image.tree import Entry, File, Tree
from cannery.trees.top_levels import TOP_LEVELS, top_levels
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cannery.image.content import Content

__all__ = ["WheelFile", "files_as_json", "files_from_json", "files_in", "installed_tree", "paths_below", "wheel_tree"]

# Files that an installer writes for itself: some name this machine, and RECORD names sources that are gone.
_INSTALLERS_OWN = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"}
_SITE = re.compile(r"lib(64)?/python3\.\d+t?/(site|dist)-packages/")  # of an environment
_UNUSED = {"bin", "include"}  # console scripts, and headers: nothing that a program imports or reads
_TEXTS = re.compile(r".*\.pth|.*\.dist-info/entry_points\.txt")  # small, and read to tell what a program imports


class WheelFile(msgspec.Struct, frozen=True):
    """A file of installed wheels."""

    size: int  # bytes
    digest: str  # in hexadecimal digits; empty where it isn't known
    executable: bool = False
    text: str | None = None  # what it holds, where that's known
    made: bool = False  # it's none of the wheels', and goes in with them


class _InstalledFile(OnDisk):
    """Content of a file of wheels, which are installed once its path is asked for."""

    __slots__ = ("_folder", "_name")
    _folder: Callable[[], Path]
    _name: str

    def __init__(self, folder: Callable[[], Path], name: str, size: int, digest: Digest | None) -> None:
        for attribute, value in {"_folder": folder, "_name": name, "size": size, "digest": digest}.items():
            object.__setattr__(self, attribute, value)

    @property
    def path(self) -> Path:
        return self._folder() / self._name


def files_in(folder: Path, *, digests: bool) -> dict[str, WheelFile]:
    """The files that uv installed into ``folder``, by their paths there, and those that images get besides them."""
    found = dict(_read(folder, digests=digests))
    for path in [path for path in found if path.endswith(".dist-info/METADATA")]:
        info = posixpath.dirname(path)
        if f"{info}/{TOP_LEVELS}" not in found and f"{info}/RECORD" in found:
            text = top_levels(folder / info / "RECORD").decode()
            found[f"{info}/{TOP_LEVELS}"] = WheelFile(len(text.encode()), "", text=text, made=True)
    return found


def _read(folder: Path, *, digests: bool) -> Iterator[tuple[str, WheelFile]]:
    for relative in paths_below(folder):
        path = folder / relative
        status = path.stat()
        text = path.read_bytes().decode(errors="surrogateescape") if _TEXTS.fullmatch(relative) else None
        digest = Digest.of_content(OnDisk(path, 0)).hex if digests else ""
        yield relative, WheelFile(status.st_size, digest, bool(status.st_mode & 0o100), text)


def paths_below(folder: Path) -> Iterator[str]:
    """The files below ``folder``, relative to it."""
    for here, _, names in os.walk(folder):
        yield from (Path(here, name).relative_to(folder).as_posix() for name in names)


def files_as_json(files: Mapping[str, WheelFile]) -> dict[str, list[Any]]:
    """A record of ``files``."""
    return {path: [each.size, each.digest, each.executable, each.text, each.made] for path, each in files.items()}


def files_from_json(record: Mapping[str, list[Any]]) -> dict[str, WheelFile]:
    """The files of a record that :func:`files_as_json` made."""
    return {path: WheelFile(*values) for path, values in record.items()}


def installed_tree(folder: Path, site_packages: str) -> Tree:
    """The files that uv installed into ``folder``, as :func:`wheel_tree` places them."""
    return wheel_tree(files_in(folder, digests=False), lambda: folder, site_packages)


def wheel_tree(files: Mapping[str, WheelFile], folder: Callable[[], Path], site_packages: str) -> Tree:
    """The tree of ``files`` in the image's ``site_packages``, and in its prefix; ``folder`` is called for their place.

    In the prefix lies what wheels have as data of an environment: ``share/…``, ``etc/…``. Raises
    :class:`RequirementsError` for a name that a layer takes for a removal.
    """
    prefix = site_packages.rsplit("/", maxsplit=3)[0]
    entries: dict[str, Entry] = {}
    for relative, file in sorted(files.items()):
        if not _goes_in(relative):
            continue
        if posixpath.basename(relative).startswith(WHITEOUT):
            raise RequirementsError(
                f"a wheel holds {posixpath.basename(relative)!r}, and a layer takes such a name for the removal of "
                "another file",
                evidence=relative,
                step="don't trust the wheel, or tell who made it",
            )
        inner = _SITE.match(relative)
        place = f"{site_packages}/{relative[inner.end() :]}" if inner else f"{prefix}/{relative}"
        entries[place] = File(_content(relative, file, folder), 0o755 if file.executable else 0o644)
    return Tree(entries)


def _goes_in(relative: str) -> bool:
    """False for what an installer has for itself, for scripts and headers, and for bytecode."""
    first, _, rest = relative.partition("/")
    above, _, name = relative.rpartition("/")
    if (first in _UNUSED and rest) or relative == ".lock" or "__pycache__" in above.split("/"):
        return False
    return not (above.endswith(".dist-info") and name in _INSTALLERS_OWN)


def _content(relative: str, file: WheelFile, folder: Callable[[], Path]) -> Content:
    if file.text is not None:
        return Inline(file.text.encode(errors="surrogateescape"))
    return _InstalledFile(folder, relative, file.size, Digest(file.digest) if file.digest else None)
