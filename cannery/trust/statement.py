"""Statements about images (in-toto Attestation Framework, Statement v1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from cannery.errors import ImageError, UnprovenError
from cannery.image.artifact import Artifact
from cannery.image.image import canonical_json
from cannery.workspace.digest import Digest
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CYCLONEDX", "IN_TOTO", "PREDICATE", "PROVENANCE", "SIGNED", "VEX", "Statement", "Subject", "artifact_of"]

IN_TOTO: Final = "application/vnd.in-toto+json"  # the media type of a statement
PREDICATE: Final = "in-toto.io/predicate-type"  # the annotation that tells what a statement is about

# What statements are about, by their predicates' types:
SIGNED: Final = "https://sigstore.dev/cosign/sign/v1"  # that somebody stands for the image
PROVENANCE: Final = "https://slsa.dev/provenance/v1"  # what it was built from
CYCLONEDX: Final = "https://cyclonedx.org/bom"  # what is in it
VEX: Final = "https://openvex.dev/ns"  # which known vulnerabilities can't be in it

_TYPE: Final = "https://in-toto.io/Statement/v1"


class _WrittenSubject(msgspec.Struct):
    """A subject as it's written."""

    digest: dict[str, str]
    name: str = ""


class _Written(msgspec.Struct):
    """A statement as it's written."""

    type: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(name="_type")
    subject: list[_WrittenSubject]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement speaks of."""

    digest: Digest
    name: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement about images."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def payload(self) -> bytes:
        """The statement as it's written, the same bytes each time."""
        subjects = [
            {**({"name": each.name} if each.name else {}), "digest": {"sha256": each.digest.hex}}
            for each in self.subjects
        ]
        parts = {"_type": _TYPE, "subject": subjects, "predicateType": self.predicate_type, "predicate": self.predicate}
        return canonical_json(parts)

    @classmethod
    def parse(cls, data: bytes) -> Statement:
        """Read a statement; raises :class:`UnprovenError` for what is none."""
        try:
            found = msgspec.convert(json_value(data), _Written)
            digests = [Digest.parse(f"sha256:{each.digest['sha256']}") for each in found.subject]
        except (ValueError, KeyError, ImageError, msgspec.ValidationError) as error:
            raise UnprovenError("a statement about the image can't be read", evidence=str(error)) from error
        subjects = tuple(Subject(digest, each.name) for digest, each in zip(digests, found.subject, strict=True))
        return cls(subjects, found.predicate_type, found.predicate)

    def speaks_of(self, digest: Digest) -> bool:
        """True where ``digest`` is one of its subjects."""
        return any(each.digest == digest for each in self.subjects)


def artifact_of(statement: Statement, title: str) -> Artifact:
    """``statement`` as nobody signed it."""
    return Artifact(IN_TOTO, statement.payload, title, {PREDICATE: statement.predicate_type})
