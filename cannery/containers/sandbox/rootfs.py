"""The root filesystem of an image, unpacked into the cache once."""

from __future__ import annotations

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
    """The folder with the unpacked layers of ``image``, and those laid ``over`` them; nothing writes to it later.

    It has the files and folders that the runner mounts on, even where the image lacks them.
    """

    def fill(folder: Path) -> None:
        from cannery.image.extraction import unpack  # noqa: PLC0415  # slow to import, and needed once per image

        unpack((*image.layers, *over), folder)
        _add_mount_points(os.fspath(folder), image.config.get("config") or {})

    key = key_of("root", code_key(__name__), image.digest.hex, [layer.digest.hex for layer in over])
    return cache.folder("roots", key, fill)


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
