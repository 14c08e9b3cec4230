"""What a push leaves in a repository for the builds after it, on any machine: layers by their keys, and records."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cannery.errors import CanneryError, RegistryError
from cannery.image.artifact import EMPTY_CONFIG
from cannery.image.image import canonical_json
from cannery.image.media.cache_document import CacheDocument, packed_record, unpacked_record
from cannery.image.media.medium import Descriptor
from cannery.image.media.pull import fetch_blob, read_blob
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cannery.image.layer import Blobs, Layer
    from cannery.image.media.registry import Registry
    from cannery.workspace.digest import Digest
    from cannery.workspace.workspace import Progress

__all__ = ["BuildCache"]

Value = TypeVar("Value")

_LAYERS: Final = "layers"  # the kind of the records of layers
_SMALL: Final = 2048  # bytes of a record that is worth no request


class BuildCache:
    """The layers and records that the tag of ``registry`` leads to, read once somebody asks, and those of a build.

    Records are shared of ``kinds`` alone, layers by the records of the kind ``layers``. Where the cache is ``needed``,
    :class:`RegistryError` is raised when its registry can't be reached; otherwise one of the ``notes`` tells that, and
    the cache is taken for empty.
    """

    def __init__(
        self, registry: Registry, kinds: frozenset[str], *, needed: bool = False, progress: Progress = silent
    ) -> None:
        self.registry = registry
        self.notes: list[str] = []
        self._kinds = kinds
        self._needed = needed
        self._progress = progress
        self._used: dict[str, Mapping[str, Any]] = {}  # "KIND/KEY" -> record
        self._there: dict[Digest, bool] = {}

    def recall(self, kind: str, key: str) -> dict[str, Any] | None:
        """The record that the cache has; None where it has none, or one that is damaged, which is noted."""
        if kind not in self._kinds:
            return None
        name = f"{kind}/{key}"
        if (small := self._document.small.get(name)) is not None:
            return dict(small)
        where = self._document.records.get(name)
        try:
            return self._record(where) if where is not None else None
        except CanneryError as error:
            self._note(error)
            return None

    def use(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        """Keep in mind a record that the build has made, or gone by."""
        if kind in self._kinds:
            self._used[f"{kind}/{key}"] = value

    def has_blob(self, digest: Digest) -> bool:
        """True where the repository has the layer ``digest``, and this cache speaks of it."""
        if all(each.digest != digest for each in self._document.layers.values()):
            return False
        if digest not in self._there:
            self._there[digest] = self.registry.has(digest)
        return self._there[digest]

    def fetch(self, layer: Layer, blobs: Blobs) -> None:
        """Bring the blob of ``layer`` into ``blobs``; raises as :func:`cannery.image.media.pull.pull` does."""
        what = f"fetching the layer {layer.name} from {self.registry.reference.registry}"
        wanted = Descriptor(layer.media_type, layer.digest, layer.size)
        fetch_blob(self.registry, wanted, blobs, lambda done, total: self._progress(what, done, total))

    def emptied(self, error: Exception) -> BuildCache:
        """The same taken for empty, as a build made nothing of one of its records."""
        other = BuildCache(self.registry, self._kinds, needed=self._needed, progress=self._progress)
        other._document = CacheDocument()
        other.notes = [
            *self.notes,
            f"{self.registry.name} was of no use: a record in it is none of cannery's ({error!r})",
        ]
        return other

    def write(self, registry: Registry, layers: Iterable[Layer]) -> int:
        """Let the tag of ``registry`` lead to what a build went by whose image, of ``layers``, is in its repository.

        Records of a kind that the build had no need of stay as they were. Returns how many bytes were sent, none where
        nothing is new.
        """
        before = self._document if registry.name == self.registry.name else CacheDocument()
        if all(name in before for name in self._used):
            return 0
        looked_up = {name.partition("/")[0] for name in self._used}

        def stays(name: str) -> bool:
            return name.partition("/")[0] not in looked_up

        texts = {name: canonical_json(value) for name, value in self._used.items()}
        large = {name: packed_record(text) for name, text in texts.items() if len(text) > _SMALL}
        small = {name: json.loads(text) for name, text in texts.items() if name not in large}
        document = CacheDocument(
            before.layers if stays(f"{_LAYERS}/") else dict(self._layers(layers)),
            {**_only(before.records, stays), **{name: each for name, (each, _) in large.items()}},
            {**_only(before.small, stays), **small},
        )
        blobs = {"configuration": EMPTY_CONFIG, **{f"record {name}": data for name, (_, data) in large.items()}}
        return registry.keep(document.blob, blobs)

    def _layers(self, layers: Iterable[Layer]) -> Iterator[tuple[str, Descriptor]]:
        """The layers of an image with the keys that the build has found them by."""
        by_digest = {layer.digest.hex: layer for layer in layers}
        for name, record in self._used.items():
            kind, _, key = name.partition("/")
            layer = by_digest.get(record["layer"]["digest"]) if kind == _LAYERS else None
            if layer is not None:
                yield key, Descriptor(layer.media_type, layer.digest, layer.size)

    @cached_property
    def _document(self) -> CacheDocument:
        self._progress(f"looking for layers in {self.registry.reference.registry}")
        try:
            data = self.registry.found()
            return CacheDocument.parse(data, f"the cache {self.registry.name}") if data else CacheDocument()
        except CanneryError as error:
            if self._needed and isinstance(error, RegistryError):
                raise
            self._note(error)
            return CacheDocument()

    def _record(self, where: Descriptor) -> dict[str, Any]:
        return unpacked_record(read_blob(self.registry, where), f"a record of {self.registry.name}")

    def _note(self, error: CanneryError) -> None:
        self.notes.append(f"{self.registry.name} was of no use: {error.what}")


def _only(values: Mapping[str, Value], stays: Callable[[str], bool]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if stays(name)}
