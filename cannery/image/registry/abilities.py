"""What a registry can do, found out by trying it in one repository (OCI distribution-spec v1.1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

import requests

from cannery.errors import RegistryError
from cannery.image.image import canonical_json, descriptor
from cannery.image.media_types import EMPTY, INDEX, LAYER, MANIFEST
from cannery.image.registry.client import said
from cannery.image.registry.push import put_document
from cannery.image.registry.upload import Blob, Gauge, send, send_in_chunks
from cannery.workspace.digest import Digest
from cannery.workspace.documents import json_value
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cannery.image.registry.client import Repository

__all__ = ["Ability", "abilities_of"]

_TAG: Final = "cannery-check"
_TRIED: Final = "application/vnd.cannery.check.v1"


class Ability(NamedTuple):
    """Something that a registry can, or can't."""

    name: str
    there: bool
    evidence: str  # what it answered, or what follows


@dataclass(frozen=True, slots=True)
class _Trial:
    """Documents and blobs that nobody else has, so that nothing of them is there before."""

    repository: Repository
    noise: bytes

    @classmethod
    def of(cls, repository: Repository) -> _Trial:
        return cls(repository, secrets.token_bytes(64))

    def blob(self, name: str, data: bytes) -> Blob:
        return Blob(name, Digest.of(data), len(data), lambda: BytesIO(data))

    @property
    def layer(self) -> Blob:
        return self.blob("layer", self.noise)

    def manifest(self, **more: Any) -> bytes:
        """A manifest of the one layer, with ``more`` properties."""
        return canonical_json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "artifactType": _TRIED,
                "config": descriptor(EMPTY, Digest.of(b"{}"), 2),
                "layers": [descriptor(LAYER, self.layer.digest, len(self.noise))],
                **more,
            }
        )

    @property
    def other(self) -> bytes:
        """A manifest that differs from the first."""
        return self.manifest(annotations={"number": "2"})

    @property
    def subject(self) -> Mapping[str, object]:
        """How another manifest refers to the first one."""
        return descriptor(MANIFEST, Digest.of(self.manifest()), len(self.manifest()))


def abilities_of(repository: Repository) -> Iterator[Ability]:
    """What the registry of ``repository`` can, each as it's found out; what was pushed for that is removed again.

    Raises :class:`RegistryError` where it can't be reached, and where nothing can be pushed, as nothing else can be
    tried then. What a registry doesn't remove stays: a tag, three small manifests and five megabytes of noise.
    """
    trial = _Trial.of(repository)
    name = repository.reference.repository
    repository.connection.more_scopes([f"repository:{name}:pull,push,delete", f"repository:{name}-check:pull,push"])
    gauge = Gauge("", 0, silent)
    for blob in (trial.layer, trial.blob("configuration", b"{}")):
        send(repository, blob, gauge)
    yield Ability("push", there=True, evidence="a blob as a whole")
    yield _tried("chunks", lambda: _chunks(trial))
    yield _mount(trial)
    yield _tried("artifacts", lambda: put_document(repository, (MANIFEST, trial.manifest()), _TAG))
    yield _tried("tags that move", lambda: put_document(repository, (MANIFEST, trial.other), _TAG))
    yield _referrers(trial)
    yield from _removals(trial)


def _tried(name: str, attempt: Callable[[], object]) -> Ability:
    try:
        attempt()
    except RegistryError as error:
        if isinstance(error.__cause__, requests.RequestException):
            raise
        return Ability(name, there=False, evidence=error.evidence.partition("\n")[0])
    return Ability(name, there=True, evidence="")


def _chunks(trial: _Trial) -> None:
    """Send a blob of two chunks, of which the first has the size that most registries ask for."""
    data = trial.noise * ((5 << 20) // len(trial.noise) + 1)
    send_in_chunks(trial.repository, trial.blob("chunks", data))


def _mount(trial: _Trial) -> Ability:
    """Let a second repository of the registry have the blob; a session that's begun in place of that is ended."""
    repository = trial.repository
    second = f"{repository.reference.repository}-check"
    query = f"mount={quote(str(trial.layer.digest))}&from={quote(repository.reference.repository, safe='/')}"
    with repository.asked("POST", f"/v2/{second}/blobs/uploads/?{query}", body=bytes) as response:
        if response.status_code == requests.codes.created:
            return Ability("mount", there=True, evidence=f"into {second}, which has a blob of 64 bytes now")
        location = response.headers.get("Location")
        evidence = said(response)
    if response.status_code == requests.codes.accepted and location:
        with repository.asked("DELETE", repository.connection.absolute(location, response.url), again=False):
            evidence = "the blob is to be sent"
    return Ability("mount", there=False, evidence=evidence)


def _referrers(trial: _Trial) -> Ability:
    """Push an artifact that refers to the first manifest, and ask who does."""
    repository, subject = trial.repository, trial.subject
    try:
        put_document(repository, (MANIFEST, trial.manifest(subject=subject)))
    except RegistryError as error:
        return Ability("referrers", there=False, evidence=error.evidence.partition("\n")[0])
    with repository.asked("GET", f"referrers/{subject['digest']}", headers={"Accept": INDEX}) as response:
        if not response.ok:
            tag = str(subject["digest"]).replace(":", "-")[:20]
            return Ability("referrers", there=False, evidence=f"{response.status_code}: the tag {tag}… stands for them")
        try:
            entries = json_value(response.raw.read(1 << 20, decode_content=True))["manifests"]
            listed = str(Digest.of(trial.manifest(subject=subject))) in {each["digest"] for each in entries}
        except (ValueError, KeyError, TypeError):
            listed = False
    return Ability("referrers", listed, "" if listed else "the answer does not list what was just pushed")


def _removals(trial: _Trial) -> Iterator[Ability]:
    """Remove all that was pushed, the tag first."""
    manifests = (trial.manifest(subject=trial.subject), trial.other, trial.manifest())
    answers = [_removed(trial, f"manifests/{Digest.of(each)}") for each in manifests]
    refused = next((answer for answer in answers if answer), "")
    yield Ability("delete", not refused, refused)
    refused = _removed(trial, f"blobs/{trial.layer.digest}")
    yield Ability("delete blobs", not refused, refused)


def _removed(trial: _Trial, path: str) -> str:
    """Empty where what is at ``path`` was removed; else the answer."""
    with trial.repository.asked("DELETE", path, again=False) as response:
        return "" if response.ok or response.status_code == requests.codes.not_found else said(response)
