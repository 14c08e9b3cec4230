"""One file that is an OCI layout (OCI image-spec v1.1, image-layout.md) and a ``docker save`` archive at once.

``docker load`` and ``podman load`` read ``manifest.json``; ``skopeo copy oci-archive:`` reads ``index.json``. Both name
the same blobs. The code that reads and writes is imported when it's needed: most builds find that nothing has changed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from cannery.image.image import canonical_json, index_of
from cannery.image.platform import machine_platform
from cannery.workspace.files import replacing
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cannery.image.hashing import Readable
    from cannery.image.image import Image, ImageIndex
    from cannery.image.media.medium import Descriptor, Medium
    from cannery.workspace.workspace import Progress

__all__ = ["Archive", "Memory"]


class Memory(Protocol):
    """Keeps what was written before; :class:`cannery.workspace.cache.Cache` is one."""

    def recall(self, kind: str, key: str) -> dict[str, Any] | None:
        """The value that :meth:`remember` was given last for ``kind`` and ``key``, if any."""
        ...

    def remember(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        """Keep ``value``, which JSON can hold."""
        ...


@dataclass(frozen=True)
class Archive:
    """The image called ``reference`` in the file ``path``, or its only one.

    An archive that ``docker save`` wrote is read as well, as :class:`DockerArchive` reads it.
    """

    path: Path
    reference: str | None = None

    @property
    def name(self) -> str:
        """The image as skopeo calls it."""
        return f"oci-archive:{self.path}" + (f":{self.reference}" if self.reference else "")

    def root(self) -> bytes:
        """The manifest or the index that the reference leads to.

        Raises :class:`ImageError` for what is no archive of images, :class:`ConfigurationError` where the reference
        leads to no image or to several.
        """
        return self._medium.root()

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[Readable]:
        """The bytes of a blob."""
        return self._medium.blob(descriptor)

    def write(
        self,
        image: Image | ImageIndex,
        references: Sequence[str] = (),
        *,
        memory: Memory | None = None,
        progress: Progress = silent,
    ) -> bool:
        """Write ``image`` under the names ``references``; False when it's already there as it should be.

        That is known where a ``memory`` was given both times; blobs whose files weren't touched meanwhile aren't
        compared with their digests again, either. Raises :class:`ImageError` where a layer's blob is damaged; what was
        there stays then.
        """
        key = key_of("archive", code_key(__name__), str(self.path.absolute()))
        state = {"digest": str(image.digest), "references": list(references)}
        known = memory.recall("archives", key) if memory else None
        checked = (known or {}).pop("blobs", {})
        if known is not None and self.path.is_file() and known == {**state, "stamp": _stamp(self.path.stat())}:
            return False
        with replacing(self.path, made_here=b"blobs/") as stream:
            stamps = _write(stream, image, references, checked, progress)
            stream.flush()
            stamp = _stamp(os.fstat(stream.fileno()))  # by its name, it may already be another build's
        if memory:
            memory.remember("archives", key, {**state, "stamp": stamp, "blobs": stamps})
        return True

    @cached_property
    def _medium(self) -> Medium:
        """The archive as the one of two kinds that it is: a layout, or Docker's."""
        from cannery.image.media.docker_archive import DockerArchive  # noqa: PLC0415
        from cannery.image.media.files import TarFiles  # noqa: PLC0415
        from cannery.image.media.layout import INDEX_FILE, LayoutFiles  # noqa: PLC0415

        files = TarFiles(self.path)
        if INDEX_FILE in files:
            return LayoutFiles(files, self.reference, self.name)
        return DockerArchive(self.path, self.reference)


def _write(
    stream: BinaryIO,
    image: Image | ImageIndex,
    references: Sequence[str],
    checked: Mapping[str, list[int]],
    progress: Progress,
) -> dict[str, list[int]]:
    """Write everything; returns the blobs' stamps. A blob whose stamp is in ``checked`` isn't compared again."""
    from cannery.image.media.docker_archive import MANIFEST_FILE, docker_manifest  # noqa: PLC0415
    from cannery.image.media.files import BLOBS, TarWriter, distinct  # noqa: PLC0415
    from cannery.image.media.layout import INDEX_FILE, MARK, MARK_FILE, documents_of, entries_for  # noqa: PLC0415

    stamps: dict[str, list[int]] = {}
    with TarWriter(stream) as archive:
        archive.add_folder(os.path.dirname(BLOBS.rstrip("/")))
        archive.add_folder(BLOBS)
        for name, data in documents_of(image):
            archive.add(name, data)
        layers = distinct(image.layers)
        done, total = 0, sum(layer.size for layer in layers)
        for layer in layers:
            stamps[layer.digest.hex] = archive.add_layer(layer, checked.get(layer.digest.hex))
            done += layer.size
            progress("writing the archive", done, total)
        archive.add(INDEX_FILE, canonical_json(index_of(entries_for(image, references))))
        archive.add(MANIFEST_FILE, docker_manifest(_for_docker(image), references))
        archive.add(MARK_FILE, MARK)
    return stamps


def _for_docker(image: Image | ImageIndex) -> Image:
    """The image that a Docker finds which knows of no index: the one for this machine, or the first."""
    here = machine_platform()
    return next((each for each in image.images if each.platform.runs_on(here)), image.images[0])


def _stamp(status: os.stat_result) -> list[int]:
    """A stamp of the archive, without the inode's own time, which is another once the file gets its name."""
    return [status.st_size, status.st_mtime_ns, status.st_ino]
