"""The one walk from an index down to the manifests of images (OCI image-spec v1.1, image-index.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cannery.errors import ImageError
from cannery.image.media.medium import Descriptor, check, is_index
from cannery.image.media.names import names_of
from cannery.image.media_types import CONFIGS, MANIFESTS
from cannery.image.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Candidate", "best", "candidates", "entries_of"]

_DEEPEST: Final = 4  # indexes in one another
_ATTESTATION: Final = "vnd.docker.reference.type"  # an annotation: BuildKit says something about an image

# Gives the document that a descriptor refers to; None where it wasn't saved along with the index.
Read = Callable[[Descriptor], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that an index leads to."""

    manifest: Descriptor
    platform: Platform
    names: frozenset[str]  # of its entry, and of the indexes above


def candidates(index: Mapping[str, Any], read: Read, what: str) -> Iterator[Candidate]:
    """The images of ``index`` and of the indexes in it, in their order, without attestations and other artifacts.

    A manifest is read only where its entry leaves its kind or its platform open. Raises :class:`ImageError` where an
    index is malformed; messages call the first one ``what``.
    """
    yield from _walk(index, read, what, frozenset(), 1)


def best(found: Iterable[Candidate], wanted: Platform, name: str) -> Candidate:
    """The image that suits ``wanted`` best: of those that run there, the one for the highest variant.

    Raises :class:`ImageError` where none does, with the platforms that there are for ``name``.
    """
    there = list(found)
    fitting = [each for each in there if each.platform.runs_on(wanted)]
    if not fitting:
        raise ImageError(
            f"{name} is not there for {wanted}",
            evidence=f"it's there for: {', '.join(sorted({str(each.platform) for each in there})) or 'no platform'}",
            step='take another image, or name one of these:  [tool.cannery]  platform = "…"',
        )
    return max(fitting, key=lambda each: each.platform.told_variant)


def entries_of(index: Mapping[str, Any], what: str) -> Sequence[Mapping[str, Any]]:
    """The entries of one index; raises :class:`ImageError` where it, called ``what``, is malformed."""
    check(index, _Index, what)
    entries: list[dict[str, Any]] = index["manifests"]
    return entries


class _Entry(msgspec.Struct):
    """The part of an entry that is read, beside its descriptor."""

    annotations: dict[str, str] | None = None
    platform: dict[str, Any] | None = None


class _Index(msgspec.Struct):
    """The part of an index that is read."""

    manifests: list[_Entry]


def _walk(index: Mapping[str, Any], read: Read, what: str, names: frozenset[str], depth: int) -> Iterator[Candidate]:
    for entry in entries_of(index, what):
        if _ATTESTATION in (entry.get("annotations") or {}):
            continue
        manifest, known, told = Descriptor.parse(entry), names | {*names_of(entry)}, entry.get("platform")
        document = None if told and manifest.media_type in MANIFESTS else read(manifest)
        if document is not None and is_index(document):
            if depth == _DEEPEST:
                raise ImageError(f"{what} is malformed", evidence=f"more than {_DEEPEST} indexes lie in one another")
            yield from _walk(document, read, f"an index in {what}", known, depth + 1)
            continue
        told = told or (document and _told_by_configuration(document, read))
        if told and told.get("os") not in (None, "unknown"):  # which may be anything, what can't be hashed too
            yield Candidate(manifest, Platform.from_json(told), known)


def _told_by_configuration(manifest: Mapping[str, Any], read: Read) -> Mapping[str, Any] | None:
    """The properties of an image's platform, by its configuration; None where the manifest is no image's."""
    config = Descriptor.parse(manifest.get("config"))
    if config.media_type not in {"", *CONFIGS}:
        return None
    return {"os": "linux", **(read(config) or {})}
