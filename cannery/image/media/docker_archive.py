"""An image in a file, as ``docker save`` writes it; it's read as the manifest that it would have in a registry."""

from __future__ import annotations

import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

import msgspec

from cannery.errors import ConfigurationError, ImageError
from cannery.image.compression import compression_of
from cannery.image.hashing import HashingReader, pieces
from cannery.image.image import canonical_json, descriptor
from cannery.image.media.source import check, parse_json
from cannery.image.media_types import COMPRESSIONS, CONFIG, LAYER, MANIFEST
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cannery.image.hashing import Readable
    from cannery.image.media.source import Descriptor

__all__ = ["DockerArchive"]

_MAGIC = 8  # bytes that tell how a layer is compressed


class _SavedImage(msgspec.Struct):
    """What ``manifest.json`` says of an image."""

    Config: str
    Layers: list[str]
    RepoTags: list[str] | None = None


@dataclass(frozen=True)
class DockerArchive:
    """The image of that reference in ``path``, or its only one."""

    path: Path
    reference: str | None
    name: str

    def root(self) -> bytes:
        """A manifest of the image's files."""
        return self._manifest[0]

    @contextmanager
    def blob(self, descriptor: Descriptor) -> Iterator[Readable]:
        """The bytes of the file of that digest."""
        with self._open() as archive:
            yield self._member(archive, self._manifest[1][str(descriptor.digest)])

    @cached_property
    def _manifest(self) -> tuple[bytes, dict[str, str]]:
        """The manifest, and the files that its digests stand for."""
        with self._open() as archive:
            image = self._image(archive)
            config, layers = image["Config"], image["Layers"]
            described = {name: self._descriptor(archive, name) for name in layers}
            own = {**self._descriptor(archive, config), "mediaType": CONFIG}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": own,
            "layers": [described[name] for name in layers],
        }
        names = {str(each["digest"]): name for name, each in {**described, config: own}.items()}
        return canonical_json(manifest), names

    @contextmanager
    def _open(self) -> Iterator[tarfile.TarFile]:
        try:
            with explained(self.path, "read"), tarfile.open(self.path) as archive:
                yield archive
        except (tarfile.TarError, EOFError) as error:
            raise ImageError(
                f"{self.path} is no archive of an image, or is cut off", evidence=str(error), step="save it anew"
            ) from error

    def _image(self, archive: tarfile.TarFile) -> dict[str, Any]:
        """What ``manifest.json`` says of the image."""
        text = b'{"images": ' + self._member(archive, "manifest.json").read() + b"}"
        images = parse_json(text, f"manifest.json in {self.path}")["images"]
        check(images, list[_SavedImage], f"manifest.json in {self.path}")
        chosen = [each for each in images if self.reference is None or self.reference in (each.get("RepoTags") or ())]
        if len(chosen) != 1:
            there = [tag for each in images for tag in each.get("RepoTags") or ()]
            raise ConfigurationError(
                f"{self.name} names {'no image' if not chosen else f'{len(chosen)} images'}",
                evidence=f"there are: {', '.join(there) or 'none with a name'}",
                step=f"name one of them:  docker-archive:{self.path}:{there[0] if there else 'NAME:TAG'}",
            )
        return dict(chosen[0])

    def _descriptor(self, archive: tarfile.TarFile, name: str) -> Mapping[str, object]:
        reader = HashingReader(self._member(archive, name))
        compression = compression_of(reader.read(_MAGIC))
        for _ in pieces(reader):
            pass
        media_type = next((name for name, kind in COMPRESSIONS.items() if kind == compression), LAYER)
        return descriptor(media_type, reader.digest, reader.size)

    def _member(self, archive: tarfile.TarFile, name: str) -> IO[bytes]:
        """A member's content; links between members are followed, as older archives have them."""
        try:
            stream = archive.extractfile(name)
        except (KeyError, RecursionError):  # or links in a circle
            stream = None
        if stream is None:
            raise ImageError(f"there is no {name} in {self.path}", step="save the image anew: docker save -o FILE NAME")
        return stream
