"""What refers to an image: artifacts that name it as their subject (OCI distribution-spec v1.1, listing referrers).

A registry that knows of them lists them itself. For others a tag that is made of the image's digest leads to an index
of them, which whoever attaches one keeps (the same, referrers tag schema).
"""

from __future__ import annotations

import re
import time
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import requests

from cannery.errors import RegistryError
from cannery.image.artifact import listed
from cannery.image.image import canonical_json, index_of
from cannery.image.media_types import INDEX, MANIFEST
from cannery.image.registry.push import put_document
from cannery.image.registry.upload import Blob, Gauge, send
from cannery.workspace.digest import Digest
from cannery.workspace.documents import json_value
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cannery.image.artifact import Attachment
    from cannery.image.registry.client import Repository

__all__ = ["attach", "fallback_tag", "referrers"]

_LARGEST: Final = 4 << 20  # bytes of a page of a list
_MOST_PAGES: Final = 50
_ATTEMPTS: Final = 5  # to add to an index that others add to as well
_PAUSE: Final = 0.2  # seconds
_NEXT: Final = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
_REFUSED: Final = {requests.codes.unauthorized, requests.codes.forbidden}
_SERVER_FAILED: Final = 500


def fallback_tag(subject: Digest) -> str:
    """The tag of the index of what refers to ``subject``, where a registry keeps no list itself."""
    return str(subject).replace(":", "-")


def referrers(repository: Repository, subject: Digest) -> tuple[Mapping[str, Any], ...]:
    """The descriptors of what refers to ``subject``, each with its ``artifactType`` and annotations where it has any.

    Raises :class:`RegistryError` where the registry refuses, or lists something else.
    """
    found = _own_list(repository, subject)
    return tuple(_indexed(repository, subject) if found is None else found)


def attach(repository: Repository, subject: Digest, attachments: Sequence[Attachment]) -> tuple[int, ...]:
    """Bring ``attachments``, which refer to ``subject``, into ``repository``, and see that they are listed.

    Returns how many bytes were sent for each: 0 where it's there already. Raises :class:`RegistryError` where the
    registry refuses; where it keeps no list, none of them is listed then.
    """
    own = _own_list(repository, subject)
    there = _indexed(repository, subject) if own is None else own
    sent, unlisted = [], []
    for each in attachments:
        if _has(there, each.digest):
            sent.append(0)
            continue
        count, noted = _send(repository, each)
        sent.append(count)
        if not noted:
            unlisted.append(each)
    if unlisted and own is not None:
        now = _own_list(repository, subject) or []
        unlisted = [each for each in unlisted if not _has(now, each.digest)]
    if unlisted:
        _add(repository, subject, unlisted)
    return tuple(sent)


def _send(repository: Repository, attachment: Attachment) -> tuple[int, bool]:
    """Send an artifact; how many bytes were sent, and whether the registry takes note of its subject."""
    gauge = Gauge(f"attaching to {repository.reference.repository}", sum(map(len, attachment.blobs.values())), silent)
    sent = [
        send(repository, Blob(name, Digest.of(data), len(data), partial(BytesIO, data)), gauge)
        for name, data in attachment.blobs.items()
    ]
    noted = put_document(repository, (MANIFEST, attachment.manifest))
    return len(attachment.manifest) + sum(each.blob.size for each in sent if each.state == "sent"), noted is not None


def _own_list(repository: Repository, subject: Digest) -> list[Mapping[str, Any]] | None:
    """What the registry lists itself; None where it keeps no list."""
    found: list[Mapping[str, Any]] = []
    where = f"referrers/{subject}"
    for _ in range(_MOST_PAGES):
        entries, following = _page(repository, where)
        if entries is None:
            return None
        found += entries
        if following is None:
            return found
        where = following
    raise RegistryError(
        f"{repository.reference.registry} lists what refers to {subject} without an end",
        evidence=f"more than {_MOST_PAGES} pages",
        step="ask who runs the registry",
    )


def _page(repository: Repository, where: str) -> tuple[list[Mapping[str, Any]] | None, str | None]:
    """The entries of a page of a registry's own list, and the address of the next; no entries for no such list."""
    with repository.asked("GET", where, headers={"Accept": INDEX, "Accept-Encoding": "identity"}) as response:
        if response.status_code in _REFUSED or response.status_code >= _SERVER_FAILED:
            raise repository.refused(response)
        if not response.ok:
            return None, None
        following = _NEXT.search(response.headers.get("Link", ""))
        address = repository.connection.absolute(following[1], response.url) if following else None
        return _entries(response.raw.read(_LARGEST, decode_content=True)), address  # some answer a page for people


def _indexed(repository: Repository, subject: Digest) -> list[Mapping[str, Any]]:
    """What the index lists that the tag leads to."""
    tag = fallback_tag(subject)
    data = repository.found_manifest(tag)
    if data is None:
        return []
    entries = _entries(data)
    if entries is None:
        raise RegistryError(
            f"the tag {tag} of {repository.reference.repository} is no list of what refers to that image",
            evidence=data[:100].decode("utf-8", "replace"),
            step="remove that tag",
        )
    return entries


def _entries(data: bytes) -> list[Mapping[str, Any]] | None:
    """The entries of an index; None for what is none."""
    try:
        entries = json_value(data)["manifests"] or []
        return [each for each in entries if isinstance(each["digest"], str)]
    except (ValueError, KeyError, TypeError):
        return None


def _has(entries: Sequence[Mapping[str, Any]], digest: Digest) -> bool:
    return any(each["digest"] == str(digest) for each in entries)


def _add(repository: Repository, subject: Digest, attachments: Sequence[Attachment]) -> None:
    """Add artifacts to the index that the tag leads to, and look again: others may write it at the same time."""
    entries = [listed(json_value(each.manifest), each.digest, len(each.manifest)) for each in attachments]
    for pause in _pauses():
        before = _indexed(repository, subject)
        lacking = [each for each in entries if not _has(before, Digest.parse(each["digest"]))]
        if not lacking:
            return
        put_document(repository, (INDEX, canonical_json(index_of([*before, *lacking]))), fallback_tag(subject))
        time.sleep(pause)
    now = _indexed(repository, subject)
    if all(_has(now, Digest.parse(each["digest"])) for each in entries):
        return
    raise RegistryError(
        f"what was attached to {subject} is not listed in {repository.reference.repository}",
        evidence=f"the tag {fallback_tag(subject)} was written {_ATTEMPTS} times, and others took it out each time",
        step="attach again when nobody else does",
    )


def _pauses() -> Iterator[float]:
    """How long to wait after each attempt, in seconds: not at all after the first, which is enough nearly always."""
    return (_PAUSE * number for number in range(_ATTEMPTS))
