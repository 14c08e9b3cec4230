"""From the name of a pushed image to the proof that it is what it's said to be: signed, and built again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cannery.difference.images import compare_images
from cannery.errors import ImageError, UnprovenError
from cannery.image.media.medium import Descriptor, is_index, parse_json
from cannery.image.media.pull import check_blob, pull, read_blob
from cannery.image.media.registry import Registry
from cannery.recipes.damaged import located
from cannery.recipes.difference import compared, platforms_of
from cannery.recipes.rebuild import rebuilt
from cannery.trust.evidence import evidence_for, evidence_signed
from cannery.trust.provenance import Provenance
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from cannery.difference.images import ImageDifference
    from cannery.recipes.damaged import Again
    from cannery.recipes.rebuild import Rebuilt
    from cannery.trust.bundle import Signatory
    from cannery.trust.evidence import Evidence
    from cannery.workspace.workspace import Workspace

    _Made = tuple[Rebuilt, tuple[ImageDifference, ...]]  # what was built again, and what differs in what is there

__all__ = ["ProofQuestion", "VerifiedImage", "verified"]


class ProofQuestion(NamedTuple):
    """What is asked of an image."""

    reference: str
    by: Signatory | None  # who has to have signed it
    source: str | None  # a repository that has the commit: a folder or an address
    folder: Path  # of the project that is at hand, which may be it
    build: bool  # again, and compare


@dataclass(frozen=True, slots=True)
class VerifiedImage:
    """What was found out about an image."""

    reference: str  # by its digest
    digest: Digest
    by: Signatory | None  # who signed it
    blobs: int
    bytes: int  # of them, all compared with their digests
    provenance: Provenance | None = None
    rebuilt: Rebuilt | None = None
    differences: tuple[ImageDifference, ...] = ()  # of what was built again from what is there

    @property
    def proven(self) -> bool:
        """True where the same was built again."""
        return self.rebuilt is not None and self.digest in self.rebuilt.digests


def verified(question: ProofQuestion, workspace: Workspace) -> VerifiedImage:
    """What is to be found out about the image; nothing is missing of what is asked for, but it may be another one.

    Raises :class:`UnprovenError` where no signature by whoever was asked for is there, what is said is about another
    image, nothing says what it was built from, or that can't be had; :class:`ImageError` for a blob that isn't what its
    digest says.
    """
    with Registry(question.reference, workspace.run) as registry:
        root = registry.root()
        digest = Digest.of(root)
        _refuse_bare_index(registry, root)
        evidence = evidence_signed(registry, digest, question.by) if question.by else evidence_for(registry, digest)
        told = [Provenance.of(each) for each in evidence.provenances]
        sizes = [*_checked_blobs(registry, root, _again(told, question, evidence, workspace), workspace)]
        place = f"{registry.reference.registry}/{registry.reference.repository}@{digest}"
        found = VerifiedImage(place, digest, question.by, len(sizes), sum(sizes))
        if not question.build:
            return replace(found, provenance=next(iter(told), None))
        if not told:
            raise _says_nothing(question, evidence)
        return _proven(found, told, lambda each: _built_again(each, question, evidence, registry, root, workspace))


def _refuse_bare_index(registry: Registry, root: bytes) -> None:
    """Raise :class:`UnprovenError` for an index that nothing is said about, though something may be of its images.

    Such is one that several machines have added their images to.
    """
    document = parse_json(root, f"the manifest of {registry.name}")
    if is_index(document) and not registry.referrers(Digest.of(root)):
        place = f"{registry.reference.registry}/{registry.reference.repository}"
        raise UnprovenError(
            f"nothing is said about the index {registry.name}",
            evidence="\n".join(f"{place}@{each.get('digest')}" for each in document["manifests"]),
            step="verify its images, each by its digest",
        )


def _says_nothing(question: ProofQuestion, evidence: Evidence) -> UnprovenError:
    return UnprovenError(
        f"nothing says what {question.reference} was built from",
        evidence="a signature by them is there, and no provenance" if evidence.signed else "",
        step="push it with  --attest --sign KEY;  --signed-only asks for the signature alone",
    )


def _proven(found: VerifiedImage, told: Sequence[Provenance], again: Callable[[Provenance], _Made]) -> VerifiedImage:
    """``found`` with the first of what is told that builds the same, or else with the first that can be built."""
    failed: UnprovenError | None = None
    other: VerifiedImage | None = None
    for provenance in told:
        try:
            made, differences = again(provenance)
        except UnprovenError as error:
            failed = failed or error
            continue
        one = replace(found, provenance=provenance, rebuilt=made, differences=differences)
        if one.proven:
            return one
        other = other or one
    if other is None:
        raise failed or UnprovenError("nothing says what the image was built from")
    return other


def _built_again(
    provenance: Provenance,
    question: ProofQuestion,
    evidence: Evidence,
    registry: Registry,
    root: bytes,
    workspace: Workspace,
) -> _Made:
    again = rebuilt(provenance, question.source, question.folder, signed=evidence.signed, workspace=workspace)
    with again as made:
        if Digest.of(root) in made.digests:
            return made, ()
        return made, tuple(_differences(registry, root, made, workspace))


def _again(
    told: Sequence[Provenance], question: ProofQuestion, evidence: Evidence, workspace: Workspace
) -> Again | None:
    """What builds the image as it's told to be built; None where nothing tells, or nothing is to be built."""
    if not (told and question.build):
        return None
    return partial(rebuilt, told[0], question.source, question.folder, signed=evidence.signed, workspace=workspace)


def _checked_blobs(registry: Registry, root: bytes, again: Again | None, workspace: Workspace) -> Iterator[int]:
    """The size of each blob of the image, all its platforms', once it was read and compared with its digest."""
    for descriptor in dict.fromkeys(_blobs(registry, root)):
        try:
            check_blob(registry, descriptor, partial(workspace.progress, f"reading {registry.name}"))
        except ImageError as error:
            raise located(error, registry, descriptor, again, workspace) from error
        yield descriptor.size


def _blobs(registry: Registry, root: bytes) -> Iterator[Descriptor]:
    document = parse_json(root, f"the manifest of {registry.name}")
    for entry in document["manifests"] if is_index(document) else ():
        yield from _blobs(registry, read_blob(registry, Descriptor.parse(entry)))
    if not is_index(document):
        parts: list[Mapping[str, Any]] = [document.get("config") or {}, *(document.get("layers") or ())]
        yield from map(Descriptor.parse, parts)


def _differences(registry: Registry, root: bytes, made: Rebuilt, workspace: Workspace) -> Iterator[ImageDifference]:
    """What differs in what is there from what was built again, for each platform."""
    there = platforms_of(root, registry)
    for built in made.images:
        platform = there.get(str(built.platform))
        if platform is not None:
            pulled = pull(registry, platform, workspace.cache, workspace.progress)
            yield compare_images(str(platform), compared(built), compared(pulled))
