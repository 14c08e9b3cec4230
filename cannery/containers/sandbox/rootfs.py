"""The root filesystem of an image, unpacked into the cache once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from cannery.containers.sandbox.sharing import share
from cannery.errors import ImageError
from cannery.image.content import OnDisk
from cannery.image.paths import folder_of, make_folder, parts_of, resolved
from cannery.workspace.digest import Digest
from cannery.workspace.files import DamagedBlobError, explained
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.unaltered import unaltered_folder

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

    It has the files and folders that the runner mounts on, even where the image lacks them, and shares files with
    images that were unpacked before. Nothing is to write to it later: where a file isn't what it was when it was
    unpacked, all of it is unpacked anew, as it's going to be run.
    """

    def fill(folder: Path) -> None:
        from cannery.image.extraction import unpack  # noqa: PLC0415  # slow to import, and needed once per image

        try:
            unpack((*image.layers, *over), folder)
        except ImageError:
            _remove_damaged((*image.layers, *over))
            raise
        _add_mount_points(os.fspath(folder), image.config.get("config") or {})
        share(folder, _unpacked_before(cache.root / "roots"))

    key = key_of("root", code_key(__name__), image.digest.hex, [layer.digest.hex for layer in over])
    return unaltered_folder(cache, "roots", key, fill)


def _remove_damaged(layers: tuple[Layer, ...]) -> None:
    """Remove the first blob that isn't what its digest says, and raise :class:`DamagedBlobError` for it."""
    for layer in layers:
        with explained(layer.blob, "read"):
            found = Digest.of_content(OnDisk(layer.blob, layer.blob.stat().st_size))
        if found != layer.digest:
            layer.blob.unlink(missing_ok=True)
            evidence = f"expected {layer.digest}\n   found {found}"
            raise DamagedBlobError(f"the layer {layer.name!r}", layer.blob, evidence)


def _unpacked_before(home: Path) -> list[Path]:
    """The images that are unpacked in the folder ``home``, the one that was used last first."""
    if not home.is_dir():
        return []
    found = [(entry.stat().st_mtime, home / entry.name) for entry in os.scandir(home) if entry.is_dir()]
    return [path for _, path in sorted(found, reverse=True)]


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
