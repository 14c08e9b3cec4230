"""What is attached to an image in a registry that says something about it: signatures, statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import ImageError, UnprovenError
from cannery.image.media.medium import LARGEST_DOCUMENT, Descriptor, parse_json
from cannery.image.media.pull import read_blob
from cannery.trust.bundle import BUNDLE, SignedStatement
from cannery.trust.statement import IN_TOTO, PROVENANCE, SIGNED, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cannery.image.media.registry import Registry
    from cannery.trust.bundle import Signatory
    from cannery.workspace.digest import Digest

__all__ = ["Evidence", "evidence_for", "evidence_signed"]

_MOST: Final = 200  # artifacts that are read
_BY: Final = "push it with  --attest --sign KEY  or take an image that was"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is said about an image."""

    provenances: tuple[
        Statement, ...
    ]  # the same image may come of several commits; the last that was attached is first
    signed: bool = False  # by the key that was asked for


def evidence_signed(registry: Registry, digest: Digest, who: Signatory) -> Evidence:
    """What ``who``, a key or somebody known to sigstore, has signed about the image ``digest``.

    Raises :class:`UnprovenError` where they haven't signed the image.
    """
    bundles = list(_bundles(registry, digest))
    if not bundles:
        raise UnprovenError(f"nobody has signed {registry.name}", evidence=f"its digest is {digest}", step=_BY)
    statements = [each for bundle in bundles if (each := bundle.statement_by(who)) is not None]
    if not statements:
        others = sorted({bundle.hint or "a certificate of sigstore's" for bundle in bundles})
        raise UnprovenError(
            f"no signature of {registry.name} is by {who.name}",
            evidence="\n".join((f"asked for   {who.hint}", *(f"signed by   {each}" for each in others))),
            step="ask who pushed it for their key or identity; where it's the one, don't trust the image",
        )
    own = [each for each in statements if each.speaks_of(digest)]
    if not any(each.predicate_type == SIGNED for each in own):
        raise _other_image(registry, digest, statements)
    return Evidence(tuple(each for each in reversed(own) if each.predicate_type == PROVENANCE), signed=True)


def evidence_for(registry: Registry, digest: Digest) -> Evidence:
    """What anybody says about the image ``digest``: it proves nothing by itself.

    Raises :class:`UnprovenError` where what is said there is about another image.
    """
    found = [Statement.parse(bundle.payload) for bundle in _bundles(registry, digest)]
    found += [Statement.parse(data) for data in _contents(registry, digest, IN_TOTO)]
    about = [each for each in found if each.predicate_type == PROVENANCE]
    own = tuple(each for each in reversed(about) if each.speaks_of(digest))
    if about and not own:
        raise _other_image(registry, digest, about)
    return Evidence(own)


def _other_image(registry: Registry, digest: Digest, statements: Sequence[Statement]) -> UnprovenError:
    named = sorted({str(subject.digest) for each in statements for subject in each.subjects})
    lines = (f"it is      {digest}", *(f"they name  {each}" for each in named))
    place = f"{registry.reference.registry}/{registry.reference.repository}"
    other = named[0] if named else digest
    return UnprovenError(
        f"what is signed or said at {registry.name} is about another image",
        evidence="\n".join(lines),
        step=f"don't trust it; see what differs:  cannery diff {place}@{other} {place}@{digest}",
    )


def _bundles(registry: Registry, digest: Digest) -> Iterator[SignedStatement]:
    """The signed statements; what is signed in another way is no statement."""
    for data in _contents(registry, digest, BUNDLE):
        if b'"dsseEnvelope"' in data:
            yield SignedStatement.parse(data)


def _contents(registry: Registry, digest: Digest, kind: str) -> Iterator[bytes]:
    """What the artifacts of a ``kind`` hold that refer to ``digest``."""
    for entry in registry.referrers(digest)[:_MOST]:
        artifact = _read(registry, {"mediaType": "application/vnd.oci.image.manifest.v1+json", **entry})
        manifest = parse_json(artifact, f"an artifact of {registry.name}")
        if manifest.get("artifactType") != kind and (manifest.get("config") or {}).get("mediaType") != kind:
            continue
        layers = manifest.get("layers")
        if isinstance(layers, list) and len(layers) == 1:
            yield _read(registry, layers[0])


def _read(registry: Registry, entry: Mapping[str, Any]) -> bytes:
    descriptor = Descriptor.parse(entry)
    if descriptor.size > LARGEST_DOCUMENT:
        raise ImageError(f"an artifact of {registry.name} is too large", evidence=f"{descriptor.size:,} bytes")
    return read_blob(registry, descriptor)
