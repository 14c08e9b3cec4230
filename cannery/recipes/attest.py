"""From images that were pushed to what is attached to them: what is in them, what they were built from, signatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.bom.cyclonedx import cyclonedx
from cannery.bom.openvex import OPENVEX, openvex
from cannery.bom.reach import assessed
from cannery.bom.spdx import spdx
from cannery.errors import ConfigurationError
from cannery.image.artifact import Artifact, attachment_of
from cannery.image.image import descriptor
from cannery.image.media.registry import Registry
from cannery.image.media_types import MANIFEST
from cannery.recipes.inventory import inventory_of
from cannery.recipes.provenance import provenance_of
from cannery.recipes.vex import listed_vulnerabilities
from cannery.trust.keys import SigningKey
from cannery.trust.signers import KEYLESS, KeylessSigner, KeySigner, signed_by_program
from cannery.trust.statement import CYCLONEDX, SIGNED, VEX, Statement, Subject, artifact_of
from cannery.workspace.digest import Digest
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cannery.bom.inventory import Inventory
    from cannery.bom.vulnerabilities import Vulnerability
    from cannery.image.artifact import Attachment
    from cannery.project.app import App
    from cannery.recipes.push import Target
    from cannery.recipes.shared_cache import SharedBuild
    from cannery.trust.provenance import Provenance
    from cannery.trust.signers import Signer
    from cannery.workspace.workspace import Workspace

__all__ = ["Attached", "Prepared", "Wishes", "attach_to", "prepared", "wishes_of"]

_CYCLONEDX: Final = "application/vnd.cyclonedx+json"
_SPDX: Final = "application/spdx+json"
_ASK: Final = "audit"  # in place of a list: uv is asked for one


class Wishes(NamedTuple):
    """What is to be attached."""

    about: bool = False  # what is in the image, and what it was built from
    signer: Signer | None = None
    program: str | None = None  # that signs
    vulnerabilities: str | None = None  # a list of known ones, to say which of them can't be in the image


class Attached(NamedTuple):
    """Something that was attached to an image."""

    what: str  # for people
    subject: Digest
    artifact: Digest
    bytes_sent: int  # 0 where it was there


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is to be attached to an image, an index or an attachment, made before anything is sent."""

    subject: Digest
    attachments: tuple[tuple[str, Attachment], ...]


def wishes_of(app: App) -> Wishes:
    """What the settings of ``app`` ask for.

    Raises :class:`ConfigurationError` for a key that can't be read, :class:`ToolError` where an extra isn't installed.
    """
    settings = app.settings
    if settings.sign and settings.signer:
        raise ConfigurationError("both a key and a program are to sign", step="name one of them: --sign or --signer")
    if settings.sign is None:
        return Wishes(settings.attest, None, settings.signer, settings.vex)
    by = KeylessSigner() if settings.sign == KEYLESS else KeySigner(SigningKey.read(settings.sign))
    return Wishes(settings.attest, by, None, settings.vex)


def prepared(
    app: App, builds: Sequence[SharedBuild], whole: Mapping[str, object], workspace: Workspace
) -> tuple[tuple[Prepared, ...], tuple[str, ...]]:
    """What the settings of ``app`` want attached to the images ``builds``, and to the index of all; notes on it.

    ``whole`` is the descriptor of that, or of the one image.
    """
    wishes = wishes_of(app)
    images = {str(each.built.image.digest): each for each in builds}
    subjects = {str(whole["digest"]): whole, **{name: each.built.image.descriptor for name, each in images.items()}}
    inventories: dict[str, Inventory] = {}
    if wishes.about or wishes.vulnerabilities:
        inventories = {name: _inventory(each, workspace) for name, each in images.items()}
    built = [each.built for each in builds]
    statement = provenance_of(app, built, [*inventories.values()], workspace) if wishes.about else None
    known = _known(app, wishes.vulnerabilities, workspace) if wishes.vulnerabilities else ()
    about = _Said(app.name, tuple(map(Digest.parse, subjects)), statement, wishes, known)
    everything = tuple(
        each for name, subject in subjects.items() for each in about.prepared(subject, inventories.get(name))
    )
    return everything, tuple(_notes(statement))


def _notes(provenance: Provenance | None) -> Iterator[str]:
    """Why nobody can prove what the provenance says, where that's so."""
    if provenance is None:
        return
    source = provenance.source
    if source is None:
        yield "the provenance names no commit, as the project is in no repository of Git: nobody can build it again"
    elif source.modified:
        more = f" and {len(source.modified) - 1:,} more" if len(source.modified) > 1 else ""
        yield f"no commit has {source.modified[0]}{more} as built from: verify will refuse this image"


def _known(app: App, listed: str, workspace: Workspace) -> tuple[Vulnerability, ...]:
    return listed_vulnerabilities(None if listed == _ASK else listed, app.folder, workspace)


def attach_to(where: Sequence[Target], everything: Sequence[Prepared], workspace: Workspace) -> tuple[Attached, ...]:
    """Attach what was prepared to the images in each repository of ``where``, signatures last.

    Raises :class:`RegistryError` where a registry refuses.
    """
    return tuple(each for target in where for each in _attached(target, everything, workspace))


def _attached(target: Target, everything: Sequence[Prepared], workspace: Workspace) -> Iterator[Attached]:
    with Registry(target.repository, workspace.run) as registry:
        for one in everything:
            workspace.progress(f"attaching to {target.repository}")
            sent = registry.attach(one.subject, [each for _, each in one.attachments])
            for (what, attachment), count in zip(one.attachments, sent, strict=True):
                yield Attached(what, one.subject, attachment.digest, count)


def _inventory(shared: SharedBuild, workspace: Workspace) -> Inventory:
    for layer in shared.built.image.layers:
        shared.fetch(layer, workspace)
    return inventory_of(shared.built, workspace)


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said of an app's images."""

    name: str
    subjects: tuple[Digest, ...]  # all that the provenance speaks of
    provenance: Provenance | None
    wishes: Wishes
    known: tuple[Vulnerability, ...]

    def prepared(self, subject: Mapping[str, object], inventory: Inventory | None) -> Iterator[Prepared]:
        """What is attached to ``subject``, a descriptor, with words on each; its signatures come last.

        A program signs what is attached as well, each by its own descriptor.
        """
        digest = Digest.parse(str(subject["digest"]))
        contents = [*self._contents(digest, inventory), *self._vulnerabilities(digest, inventory)] if inventory else []
        said = [(what, attachment_of(artifact, subject)) for what, artifact in (*contents, *self._origin())]
        signer = self.wishes.signer
        if signer is not None:
            stands = signer.artifact(Statement((Subject(digest),), SIGNED))
            yield Prepared(digest, (*said, ("signature", attachment_of(stands, subject))))
            return
        yield Prepared(digest, (*said, *self._by_program("signature", subject)))
        for what, each in said:
            named = descriptor(MANIFEST, each.digest, len(each.manifest))
            if signatures := self._by_program(f"signature of the {what}", named):
                yield Prepared(each.digest, signatures)

    def _by_program(self, what: str, subject: Mapping[str, object]) -> tuple[tuple[str, Attachment], ...]:
        """What the program makes to be attached to ``subject``; nothing where none signs."""
        if self.wishes.program is None:
            return ()
        return tuple((what, each) for each in signed_by_program(self.wishes.program, subject))

    def _contents(self, digest: Digest, inventory: Inventory) -> Iterator[tuple[str, Artifact]]:
        if not self.wishes.about:
            return
        bom = cyclonedx(inventory)
        yield "bill of materials (CycloneDX)", Artifact(_CYCLONEDX, bom, "sbom.cdx.json")
        yield "bill of materials (SPDX)", Artifact(_SPDX, spdx(inventory), "sbom.spdx.json")
        yield from self._signed("bill of materials", digest, CYCLONEDX, bom)

    def _vulnerabilities(self, digest: Digest, inventory: Inventory) -> Iterator[tuple[str, Artifact]]:
        """What is known of vulnerabilities, with which of them can't be in the image."""
        if self.wishes.vulnerabilities is None:
            return
        document = openvex(assessed(self.known, inventory), inventory.name, str(digest))
        yield "vulnerabilities (OpenVEX)", Artifact(OPENVEX, document, "vex.openvex.json")
        yield from self._signed("vulnerabilities", digest, VEX, document)

    def _signed(self, what: str, digest: Digest, kind: str, document: bytes) -> Iterator[tuple[str, Artifact]]:
        """``document``, signed as a statement, where a key signs."""
        if self.wishes.signer is not None:
            statement = Statement((Subject(digest, self.name),), kind, json_value(document))
            yield f"{what}, signed", self.wishes.signer.artifact(statement)

    def _origin(self) -> Iterator[tuple[str, Artifact]]:
        if self.provenance is None:
            return
        statement = self.provenance.statement(tuple(Subject(each, self.name) for each in self.subjects))
        signer = self.wishes.signer
        if signer is None:
            yield "provenance", artifact_of(statement, "provenance.intoto.json")
        else:
            yield "provenance, signed", signer.artifact(statement)
