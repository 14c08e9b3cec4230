"""The root filesystem of an image, unpacked into the cache once."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, Final

from cannery.image.paths import folder_of, make_folder, parts_of, resolved
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.image.image import Image
    from cannery.image.layer import Layer
    from cannery.workspace.cache import Cache

__all__ = ["rootfs"]

_FOLDERS: Final = {"/proc": 0o555, "/sys": 0o555, "/dev": 0o755, "/tmp": 0o1777}  # noqa: S108  # the image's
_FILES: Final = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")


def rootfs(image: Image, cache: Cache, over: tuple[Layer, ...] = ()) -> Path:
    """The folder with the unpacked layers of ``image``, and those laid ``over`` them.

    It has the files and folders that the runner mounts on, even where the image lacks them. Nothing is to write to it
    later: where a file has another size, time or inode than when it was unpacked, all of it is unpacked anew, as it's
    going to be run.
    """

    def fill(folder: Path) -> None:
        from cannery.image.extraction import unpack  # noqa: PLC0415  # slow to import, and needed once per image

        unpack((*image.layers, *over), folder)
        _add_mount_points(os.fspath(folder), image.config.get("config") or {})
        cache.remember("roots", key, {"stamp": _stamp(folder)})

    key = key_of("root", code_key(__name__), image.digest.hex, [layer.digest.hex for layer in over])
    return cache.folder("roots", key, fill, whole=lambda folder: _is_whole(folder, cache.recall("roots", key)))


def _is_whole(folder: Path, known: Mapping[str, Any] | None) -> bool:
    """True if ``folder`` is as it was when it was unpacked; without a record nobody knows, and it isn't taken."""
    return known is not None and folder.is_dir() and known["stamp"] == _stamp(folder)


def _stamp(folder: Path) -> str:
    """A digest of the sizes, times and inodes of all files below ``folder``; st_ctime tells even a hidden change."""
    lines = []
    pending = [os.fspath(folder)]
    top = len(pending[0])
    while pending:
        with os.scandir(pending.pop()) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    status = entry.stat(follow_symlinks=False)
                    lines.append(f"{entry.path[top:]}\0{status.st_size} {status.st_ctime_ns} {status.st_ino}")
    return hashlib.sha256("\n".join(sorted(lines)).encode(errors="surrogateescape")).hexdigest()


def _add_mount_points(root: str, settings: Mapping[str, Any]) -> None:
    """Make the files and folders to mount on, the volumes and the working directory, where the image lacks them."""
    for name, mode in _FOLDERS.items():
        if not os.path.lexists(root + name):
            make_folder(root, root + name)
            os.chmod(root + name, mode)
    for name in (settings.get("WorkingDir") or "/", *(settings.get("Volumes") or ())):
        make_folder(root, resolved(root, name))
    for name in _FILES:
        _make_file(root, name)


def _make_file(root: str, name: str) -> None:
    """Make an empty file where there is none; a link, which may lead nowhere, is replaced."""
    folder = folder_of(root, name)
    make_folder(root, folder)
    path = f"{folder}/{parts_of(name)[-1]}"
    if os.path.islink(path):
        os.unlink(path)
    if not os.path.exists(path):
        with open(path, "x", encoding="utf-8"):
            os.chmod(path, 0o644)
