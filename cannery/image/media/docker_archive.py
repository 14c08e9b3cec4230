"""An image in a file, as ``docker save`` writes it and ``docker load`` reads it.

Its ``manifest.json``, of Docker's own form, names the files of each image. What is read of it is the manifest that such
an image would have in a registry.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cannery.image.decompression import compression_of
from cannery.image.hashing import HashingReader, pieces
from cannery.image.image import canonical_json, descriptor
from cannery.image.media.files import TarFiles, TarWriter, blob_name, distinct
from cannery.image.media.layout import not_one
from cannery.image.media.medium import check, decoded, document_in
from cannery.image.media.names import matching
from cannery.image.media_types import COMPRESSIONS, CONFIG, LAYER, MANIFEST
from cannery.workspace.files import replacing
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cannery.image.hashing import Readable
    from cannery.image.image import Image
    from cannery.image.media.medium import Descriptor
    from cannery.workspace.workspace import Progress

__all__ = ["MANIFEST_FILE", "DockerArchive", "docker_manifest", "saved_images"]

MANIFEST_FILE: Final = "manifest.json"
_BEGINNING: Final = 8  # bytes that tell how a layer is compressed


class _SavedImage(msgspec.Struct):
    """The entry of an image in ``manifest.json``."""

    Config: str
    Layers: list[str]
    RepoTags: list[str] | None = None


@dataclass(frozen=True)
class DockerArchive:
    """The image called ``reference`` in the file ``path``, or its only one."""

    path: Path
    reference: str | None = None
    name: str = ""  # for messages; as skopeo calls it where there is none

    def __post_init__(self) -> None:
        named = f":{self.reference}" if self.reference else ""
        object.__setattr__(self, "name", self.name or f"docker-archive:{self.path}{named}")

    def root(self) -> bytes:
        """The manifest made of the image's files.

        Raises :class:`ImageError` for a file that is no such archive, :class:`ConfigurationError` where the reference
        leads to no image or to several.
        """
        return self._manifest[0]

    @contextmanager
    def blob(self, descriptor: Descriptor) -> Iterator[Readable]:
        """The bytes of the file of that digest."""
        with TarFiles(self.path).open(self._manifest[1][str(descriptor.digest)]) as stream:
            yield stream

    def write(
        self, image: Image, references: Sequence[str] = (), *, lower: int = 0, progress: Progress = silent
    ) -> None:
        """Write ``image`` under the names ``references``; the reader has its ``lower`` layers already.

        Raises :class:`ImageError` where a layer's blob is damaged.
        """
        with replacing(self.path) as stream, TarWriter(stream) as archive:
            archive.add(blob_name(image.id), image.config_blob)
            layers = distinct(image.layers[lower:])
            done, total = 0, sum(layer.size for layer in layers)
            for layer in layers:
                archive.add_layer(layer)
                done += layer.size
                progress("writing the archive", done, total)
            archive.add(MANIFEST_FILE, docker_manifest(image, references))

    @cached_property
    def _manifest(self) -> tuple[bytes, Mapping[str, str]]:
        """The manifest, and the names of files by the digests in it."""
        image = self._image()
        layers = {name: self._descriptor(name) for name in image["Layers"]}
        config = {**self._descriptor(image["Config"]), "mediaType": CONFIG}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": [layers[name] for name in image["Layers"]],
        }
        names = {str(each["digest"]): name for name, each in {**layers, image["Config"]: config}.items()}
        return canonical_json(manifest), names

    def _image(self) -> Mapping[str, Any]:
        """The entry of the image in ``manifest.json``."""
        with TarFiles(self.path).open(MANIFEST_FILE) as stream:
            what = f"{MANIFEST_FILE} in {self.path}"
            images = saved_images(decoded(document_in(stream, what), what), what)
        chosen = matching(((each, each.get("RepoTags") or ()) for each in images), self.reference)
        if len(chosen) != 1:
            there = [tag for each in images for tag in each.get("RepoTags") or ()]
            raise not_one(len(chosen), self.name, self.reference, there)
        return chosen[0]

    def _descriptor(self, name: str) -> Mapping[str, object]:
        with TarFiles(self.path).open(name) as stream:
            reader = HashingReader(stream)
            compression = compression_of(reader.read(_BEGINNING))
            for _ in pieces(reader):
                pass
        media_type = next((name for name, kind in COMPRESSIONS.items() if kind == compression), LAYER)
        return descriptor(media_type, reader.digest, reader.size)


def saved_images(document: Any, what: str) -> list[Mapping[str, Any]]:
    """The images that a ``manifest.json`` names; raises :class:`ImageError` where it, called ``what``, is malformed."""
    check(document, list[_SavedImage], what)
    return list(document)


def docker_manifest(image: Image, references: Sequence[str]) -> bytes:
    """The ``manifest.json`` of ``image``, whose blobs have their names in layouts."""
    layers = [blob_name(layer.digest) for layer in image.layers]
    return canonical_json([{"Config": blob_name(image.id), "RepoTags": list(references), "Layers": layers}])
