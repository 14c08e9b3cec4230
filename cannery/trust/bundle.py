"""Signed statements in the form that cosign reads: sigstore's bundle v0.3 with a DSSE envelope.

Made with a key they have no time in them and no random number, so that the same statement signed by the same key is the
same bundle (secure-systems-lab/dsse v1.0.2; sigstore/protobuf-specs, sigstore_bundle.proto; sigstore/cosign,
specs/BUNDLE_SPEC.md).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from cannery.errors import UnprovenError
from cannery.image.artifact import Artifact
from cannery.image.image import canonical_json
from cannery.trust.statement import IN_TOTO, Statement
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from cannery.trust.keys import SigningKey

__all__ = [
    "BUNDLE",
    "PREDICATE_TYPE",
    "Signatory",
    "SignedStatement",
    "artifact_of_bundle",
    "pre_authentication",
    "signed",
]

BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE_TYPE: Final = "dev.sigstore.bundle.predicateType"  # the annotation that tells what is signed
_CONTENT: Final = "dev.sigstore.bundle.content"


class Signatory(Protocol):
    """Who may have signed."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def hint(self) -> str:
        """What tells them from others."""
        ...

    def signed(self, bundle: SignedStatement) -> bool:
        """True where they signed the statement in ``bundle``."""
        ...


class _Signature(msgspec.Struct):
    """One of an envelope's signatures."""

    sig: str


class _Envelope(msgspec.Struct):
    """The part of an envelope that is read."""

    payload: str
    payload_type: str = msgspec.field(name="payloadType")
    signatures: list[_Signature]


class _WrittenBundle(msgspec.Struct):
    """The part of a bundle that is read."""

    media_type: str = msgspec.field(name="mediaType")
    envelope: _Envelope = msgspec.field(name="dsseEnvelope")
    material: dict[str, Any] = msgspec.field(name="verificationMaterial", default={})


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A signed statement, not yet compared with any key."""

    payload: bytes
    payload_type: str
    signatures: tuple[bytes, ...]
    hint: str  # which key signed it, as whoever signed says; empty where that isn't a key
    data: bytes = b""  # the bundle itself

    @classmethod
    def parse(cls, data: bytes) -> SignedStatement:
        """Read a bundle; raises :class:`UnprovenError` for what is none, or has no statement in it."""
        try:
            found = msgspec.convert(json_value(data), _WrittenBundle)
            envelope = found.envelope
            signatures = tuple(base64.b64decode(each.sig, validate=True) for each in envelope.signatures)
            payload = base64.b64decode(envelope.payload, validate=True)
        except (ValueError, binascii.Error, msgspec.ValidationError) as error:
            raise UnprovenError("a signature of the image can't be read", evidence=str(error)) from error
        key = found.material.get("publicKey")
        hint = str(key.get("hint") or "") if isinstance(key, dict) else ""
        return cls(payload, envelope.payload_type, signatures, hint, data)

    @property
    def message(self) -> bytes:
        """What the signatures are of."""
        return pre_authentication(self.payload_type, self.payload)

    def statement_by(self, who: Signatory) -> Statement | None:
        """The statement, where ``who`` signed it; None where they didn't."""
        if self.payload_type != IN_TOTO or not who.signed(self):
            return None
        return Statement.parse(self.payload)


def signed(statement: Statement, key: SigningKey) -> bytes:
    """``statement`` signed by ``key``, as a bundle."""
    payload = statement.payload
    signature = key.sign(pre_authentication(IN_TOTO, payload))
    return canonical_json(
        {
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": key.public.hint}},
            "dsseEnvelope": {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": IN_TOTO,
                "signatures": [{"sig": base64.b64encode(signature).decode()}],
            },
        }
    )


def artifact_of_bundle(bundle: bytes, predicate_type: str) -> Artifact:
    """A bundle as it's attached to an image."""
    return Artifact(BUNDLE, bundle, annotations={_CONTENT: "dsse-envelope", PREDICATE_TYPE: predicate_type})


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """What is signed: the payload with its type, so that it can't be taken for another (DSSE v1, PAE)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
