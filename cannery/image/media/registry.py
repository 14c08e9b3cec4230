"""An image in a registry (OCI distribution-spec v1.1)."""

from __future__ import annotations

import importlib.util
import io
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from cannery.errors import ImageError, ToolError
from cannery.image.media_types import INDEXES, MANIFESTS
from cannery.image.registry.credentials import credential_for
from cannery.image.registry.reference import Reference
from cannery.workspace.digest import Digest
from cannery.workspace.extras import installing
from cannery.workspace.process import run
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from cannery.image.artifact import Attachment
    from cannery.image.hashing import Readable
    from cannery.image.image import Image, ImageIndex
    from cannery.image.layer import Layer
    from cannery.image.media.medium import Descriptor
    from cannery.image.registry.abilities import Ability
    from cannery.image.registry.client import Repository
    from cannery.image.registry.push import Pushed
    from cannery.workspace.process import Runner
    from cannery.workspace.workspace import Progress

__all__ = ["Registry"]


@dataclass(frozen=True)
class Registry:
    """The image that ``name`` means as Docker reads it: ``python:3.11-slim``, ``ghcr.io/team/base@sha256:…``.

    The registry is asked as whoever is logged in to it with Docker or Podman, whose credential helpers ``run`` runs.
    The first method that reads connects, and the end of a ``with`` block disconnects. Every method raises
    :class:`RegistryError` where the registry can't be reached or refuses, :class:`ToolError` where the extra
    ``registry`` isn't installed.
    """

    name: str
    run: Runner = run

    @cached_property
    def reference(self) -> Reference:
        """The name, taken apart; raises :class:`ConfigurationError` for what can't be one."""
        return Reference.parse(self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if "_repository" in vars(self):
            self._repository.__exit__(*error)

    def digest(self) -> str | None:
        """The digest that the name leads to now; nothing else is read. None where the registry won't say."""
        return self._repository.digest()

    def pushed_before(self, image: Image | ImageIndex, tags: Sequence[str]) -> Pushed | None:
        """What :meth:`push` would return where all ``tags`` lead to ``image`` already; None where one doesn't."""
        repository = self._repository
        from cannery.image.registry.push import pushed_before  # noqa: PLC0415  # slow to import

        return pushed_before(image, repository, tags)

    def found(self) -> bytes | None:
        """What :meth:`root` gives; None where nothing is there, or nothing that is shown to who asks."""
        return self._repository.found_manifest(self.reference.version)

    def has(self, digest: Digest) -> bool:
        """True where the repository has the blob of ``digest``."""
        repository = self._repository
        from cannery.image.registry.upload import has_blob  # noqa: PLC0415  # slow to import

        return has_blob(repository, digest)

    def root(self) -> bytes:
        """The manifest or the index; raises :class:`ImageError` where the name has a digest and that isn't it."""
        data = self._repository.manifest(self.reference.version)
        if self.reference.digest not in {None, found := Digest.of(data)}:
            raise ImageError(
                f"{self.reference.registry} hands out something else for {self.name}",
                evidence=f"expected {self.reference.digest}\n   found {found}",
                step="don't trust what lies between you and that registry",
            )
        return data

    @contextmanager
    def blob(self, descriptor: Descriptor) -> Iterator[Readable]:
        """The bytes of a blob, or of a manifest."""
        if descriptor.media_type in {*INDEXES, *MANIFESTS}:
            yield io.BytesIO(self._repository.manifest(str(descriptor.digest)))
            return
        with self._repository.blob(str(descriptor.digest)) as stream:
            yield stream

    def write(self, image: Image | ImageIndex, references: Sequence[str] = (), *, progress: Progress = silent) -> None:
        """Push ``image``, so that the tags of ``references`` lead to it, or else the one of the name."""
        tags = tuple(Reference.parse(each).tag for each in references) or (self.reference.tag,)
        self.push(image, tags, progress=progress)

    def push(
        self,
        image: Image | ImageIndex,
        tags: Sequence[str] = (),
        *,
        mounts: Iterable[str] = (),
        places: Mapping[Digest, str] = MappingProxyType({}),
        dry: bool = False,
        update_index: bool = False,
        lacking: Callable[[Layer], None] | None = None,
        progress: Progress = silent,
    ) -> Pushed:
        """Push ``image``, and let ``tags`` lead to it; or, ``dry``, only see what that would send.

        ``mounts`` are references to images that may have some of the layers: where they lie in the same registry, the
        layers are taken from there. ``places`` are references to images that have a certain blob for sure. ``lacking``
        is called for a layer that has to be sent and whose blob isn't here. With ``update_index`` the tags lead to an
        index with ``image`` and the images of other platforms that they have led to, and so does the reference.
        """
        repository = self._repository
        from cannery.image.registry.push import push, scopes_for, would_push  # noqa: PLC0415  # slow to import

        near = tuple(filter(None, map(self._beside, mounts)))
        wanted = {each.digest for each in image.layers} | {each.id for each in image.images}
        known = {digest: beside for digest in wanted if (text := places.get(digest)) and (beside := self._beside(text))}
        own = {known[each.digest] for each in image.layers if each.digest in known}
        repository.connection.more_scopes(scopes_for(self.reference, (*near, *sorted(own))))
        repository.connection.shown_by(progress)
        if dry:
            return would_push(image, repository, tags)
        direct = () if update_index else tags
        pushed = push(image, repository, direct, mounts=near, places=known, lacking=lacking, progress=progress)
        return self._joined(image, pushed, tags) if update_index else pushed

    def _joined(self, image: Image | ImageIndex, pushed: Pushed, tags: Iterable[str]) -> Pushed:
        from cannery.image.registry.joined_index import join_index  # noqa: PLC0415  # slow to import

        for tag in tags:
            index = join_index(self._repository, image, tag)
            pushed = replace(pushed, tags=(*pushed.tags, tag), reference=replace(pushed.reference, digest=index))
        return pushed

    def keep(self, manifest: bytes, blobs: Mapping[str, bytes]) -> int:
        """Push ``blobs``, with names for people, and then the ``manifest`` of an artifact under the name's tag.

        Returns how many bytes were sent.
        """
        repository = self._repository
        from cannery.image.registry.push import push_artifact, scopes_for  # noqa: PLC0415  # slow to import

        repository.connection.more_scopes(scopes_for(self.reference))
        return push_artifact(repository, manifest, blobs, self.reference.tag)

    def referrers(self, subject: Digest) -> tuple[Mapping[str, Any], ...]:
        """The descriptors of the artifacts that refer to ``subject``, an image of the repository."""
        repository = self._repository
        from cannery.image.registry.referrers import referrers  # noqa: PLC0415  # slow to import

        return referrers(repository, subject)

    def attach(self, subject: Digest, attachments: Sequence[Attachment]) -> tuple[int, ...]:
        """Push artifacts that refer to ``subject``, those that aren't there; returns how many bytes each took."""
        repository = self._repository
        from cannery.image.registry.push import scopes_for  # noqa: PLC0415  # slow to import
        from cannery.image.registry.referrers import attach  # noqa: PLC0415

        repository.connection.more_scopes(scopes_for(self.reference))
        return attach(repository, subject, attachments)

    def abilities(self) -> Iterator[Ability]:
        """What the registry can, each as it's found out by trying it in the repository."""
        repository = self._repository
        from cannery.image.registry.abilities import abilities_of  # noqa: PLC0415  # as above

        return abilities_of(repository)

    @property
    def told(self) -> str:
        """Who is logged in, for people."""
        return self._repository.connection.told

    def _beside(self, reference: str) -> str | None:
        """The repository of ``reference`` where that is another one of the same registry."""
        found = Reference.parse(reference)
        near = found.registry == self.reference.registry and found.repository != self.reference.repository
        return found.repository if near else None

    @cached_property
    def _repository(self) -> Repository:
        if importlib.util.find_spec("requests") is None:
            raise ToolError(
                f"the client for registries, to ask for {self.reference}, is not installed",
                step=f"{installing('registry')}; or copy the image:  skopeo copy docker://NAME oci:DIR:latest",
            )
        from cannery.image.registry.client import Repository  # noqa: PLC0415  # slow to import

        return Repository(self.reference, credential_for(self.reference, run=self.run))
