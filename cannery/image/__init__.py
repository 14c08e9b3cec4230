"""Container images as values: a tree becomes a layer, layers become an image, and any medium holds it.

No engine is needed, and the same tree becomes the same image on every machine that has the same zlib (OCI image-spec
v1.1). An image of one file, written, read back and unpacked:

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> from cannery.image import Cache, File, Inline, Platform, Tree, assemble, pack, pull, unpack
>>> from cannery.image.media import Archive
>>> scratch = TemporaryDirectory()
>>> folder, platform = Path(scratch.name), Platform.parse("linux/amd64")
>>> blobs = Cache(folder / "blobs")

>>> tree = Tree({"/app/main.py": File(Inline(b"print('hello')"))})
>>> layer = pack("app", tree, blobs)
>>> image = assemble([layer], {"Entrypoint": ["python3", "/app/main.py"]}, platform)
>>> Archive(folder / "image.tar").write(image, ["hello:1"])  # for docker load, podman load, skopeo copy
True

>>> found = pull(Archive(folder / "image.tar", "hello:1"), platform, blobs)
>>> found.manifest == image.digest
True
>>> (folder / "root").mkdir()
>>> unpacked = unpack(found.layers, folder / "root")
>>> (folder / "root/app/main.py").read_text()
"print('hello')"
>>> scratch.cleanup()

What is exported here is public; each name is imported when it is asked for first. The media are
:mod:`cannery.image.media`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cannery.image.content import Inline, OnDisk
    from cannery.image.extraction import unpack
    from cannery.image.image import Base, Image, ImageIndex, assemble
    from cannery.image.layer import Blobs, Layer, pack
    from cannery.image.media.pull import pull
    from cannery.image.platform import Platform
    from cannery.image.tree import Directory, File, Symlink, Tree
    from cannery.workspace.cache import Cache
    from cannery.workspace.digest import Digest

__all__ = [
    "Base",
    "Blobs",
    "Cache",
    "Digest",
    "Directory",
    "File",
    "Image",
    "ImageIndex",
    "Inline",
    "Layer",
    "OnDisk",
    "Platform",
    "Symlink",
    "Tree",
    "assemble",
    "pack",
    "pull",
    "unpack",
]

_MODULES: Final = {
    "Base": "image.image",
    "Blobs": "image.layer",
    "Cache": "workspace.cache",
    "Digest": "workspace.digest",
    **dict.fromkeys(("Directory", "File", "Symlink", "Tree"), "image.tree"),
    **dict.fromkeys(("Image", "ImageIndex", "assemble"), "image.image"),
    **dict.fromkeys(("Inline", "OnDisk"), "image.content"),
    **dict.fromkeys(("Layer", "pack"), "image.layer"),
    "Platform": "image.platform",
    "pull": "image.media.pull",
    "unpack": "image.extraction",
}

if not TYPE_CHECKING:  # a type checker knows the names from above, and that there are no others

    def __getattr__(name: str) -> object:
        """A name of ``__all__``, imported when it's asked for (PEP 562): who needs one doesn't wait for the rest."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"cannery.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
