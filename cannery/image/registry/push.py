"""Images on their way into a registry: blobs first, then manifests by their digests, then the tags that lead to them.

So no tag ever leads to an image that isn't whole (OCI distribution-spec v1.1, pushing manifests).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Final

from cannery.image.media_types import MANIFEST
from cannery.image.registry.client import refusal
from cannery.image.registry.upload import Blob, Gauge, Sent, check_digest, has_blob, send
from cannery.workspace.digest import Digest
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from cannery.image.image import Image, ImageIndex
    from cannery.image.layer import Layer
    from cannery.image.registry.client import Repository
    from cannery.image.registry.reference import Reference
    from cannery.workspace.workspace import Progress

__all__ = ["Pushed", "push", "push_artifact", "pushed_before", "put_document", "scopes_for", "would_push"]

_AT_ONCE: Final = 4  # blobs


@dataclass(frozen=True, slots=True)
class Pushed:
    """An image in a repository, and how it came there."""

    reference: Reference  # by its digest
    tags: tuple[str, ...]
    blobs: tuple[Sent, ...]  # its layers, and its configuration

    @property
    def bytes_sent(self) -> int:
        """The bytes of blobs that went over the network, less those of manifests."""
        return sum(sent.blob.size for sent in self.blobs if sent.state == "sent")


def scopes_for(reference: Reference, mounts: Iterable[str] = ()) -> tuple[str, ...]:
    """The scopes to push to ``reference`` and to mount from ``mounts`` (distribution, docs/spec/auth/scope.md)."""
    return (
        f"repository:{reference.repository}:pull,push",
        *(f"repository:{mount}:pull" for mount in mounts if mount != reference.repository),
    )


def push(
    image: Image | ImageIndex,
    repository: Repository,
    tags: Sequence[str] = (),
    *,
    mounts: Sequence[str] = (),
    places: Mapping[Digest, str] = MappingProxyType({}),
    lacking: Callable[[Layer], None] | None = None,
    progress: Progress = silent,
) -> Pushed:
    """Bring ``image`` into ``repository``, and let ``tags`` lead to it.

    ``mounts`` are other repositories of that registry, which blobs are taken from where they have them; ``places`` are
    those that have a certain one. ``lacking`` is called for a layer that has to be sent and whose blob isn't here, and
    brings it. Where all ``tags`` lead to the image already, the registry has all of it, and nothing else is asked.
    Raises :class:`RegistryError` where the registry refuses or breaks off for good; what was there before is as it was
    then.
    """
    if before := pushed_before(image, repository, tags):
        return before
    blobs = list(_blobs(image, lacking))
    reference = replace(repository.reference, digest=image.digest)
    gauge = Gauge(f"pushing to {repository.reference.registry}", sum(blob.size for blob in blobs), progress)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        near = {blob: (*filter(None, [places.get(blob.digest)]), *mounts) for blob in blobs}
        futures = [pool.submit(send, repository, blob, gauge, near[blob]) for blob in blobs]
        try:
            sent = tuple(future.result() for future in futures)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    *others, last = image.documents
    for document in others:
        put_document(repository, document)
    for tag in (None, *tags):
        put_document(repository, last, tag)
    return Pushed(reference, tuple(tags), sent)


def pushed_before(image: Image | ImageIndex, repository: Repository, tags: Sequence[str]) -> Pushed | None:
    """What :func:`push` returns where all ``tags`` lead to ``image`` already; None where one of them doesn't."""
    if not tags or any(repository.leads_to(tag) != str(image.digest) for tag in tags):
        return None
    reference = replace(repository.reference, digest=image.digest)
    return Pushed(reference, tuple(tags), tuple(Sent(blob, "present") for blob in _blobs(image)))


def would_push(image: Image | ImageIndex, repository: Repository, tags: Sequence[str] = ()) -> Pushed:
    """What :func:`push` would do, as far as a registry tells without being written to: mounts are none of it."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        states = pool.map(lambda blob: has_blob(repository, blob.digest), blobs := list(_blobs(image)))
        sent = tuple(Sent(blob, "present" if there else "sent") for blob, there in zip(blobs, states, strict=True))
    return Pushed(replace(repository.reference, digest=image.digest), tuple(tags), sent)


def _blobs(image: Image | ImageIndex, lacking: Callable[[Layer], None] | None = None) -> Iterator[Blob]:
    """The blobs of an image, each once, the largest first: so the last to end is a small one."""
    layers = {layer.digest: layer for layer in image.layers}
    for layer in sorted(layers.values(), key=lambda layer: -layer.size):
        yield Blob(layer.name, layer.digest, layer.size, partial(_open, layer, lacking))
    for each in image.images:
        yield Blob("configuration", each.id, len(each.config_blob), partial(BytesIO, each.config_blob))


def _open(layer: Layer, lacking: Callable[[Layer], None] | None) -> BinaryIO:
    if lacking is not None and not layer.is_present():
        lacking(layer)
    return layer.blob.open("rb")


def push_artifact(repository: Repository, manifest: bytes, blobs: Mapping[str, bytes], tag: str) -> int:
    """Bring ``blobs``, by names for people, into ``repository``, and then the ``manifest`` that ``tag`` leads to.

    What else the manifest refers to is there. Returns how many bytes were sent. Raises :class:`RegistryError` where the
    registry refuses.
    """
    gauge = Gauge(f"pushing to {repository.reference.registry}", sum(map(len, blobs.values())), silent)
    sent = [Blob(name, Digest.of(data), len(data), partial(BytesIO, data)) for name, data in blobs.items()]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        done = list(pool.map(lambda blob: send(repository, blob, gauge), sent))
    put_document(repository, (MANIFEST, manifest), tag)
    return len(manifest) + sum(each.blob.size for each in done if each.state == "sent")


def put_document(repository: Repository, document: tuple[str, bytes], tag: str | None = None) -> str | None:
    """Write a manifest or an index by its digest, or let ``tag`` lead to it.

    Returns the digest of the subject that the registry has taken note of (OCI distribution-spec v1.1, pushing manifests
    with subject); None where it says nothing of one.
    """
    media_type, data = document
    digest = Digest.of(data)
    path, headers = f"manifests/{tag or digest}", {"Content-Type": media_type}
    with repository.asked("PUT", path, headers=headers, body=lambda: data) as response:
        if not response.ok:
            raise refusal(repository, response)
        check_digest(repository, response, digest)
        noted: str | None = response.headers.get("OCI-Subject")
        return noted
