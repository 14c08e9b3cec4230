"""Those who sign: a key, whoever is logged in at sigstore, any other program."""

from __future__ import annotations

import io
import json
import shlex
import tarfile
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from cannery.errors import ImageError, ToolError
from cannery.image.artifact import Attachment
from cannery.trust.bundle import artifact_of_bundle, signed
from cannery.workspace.digest import Digest
from cannery.workspace.documents import json_value
from cannery.workspace.extras import installing
from cannery.workspace.process import start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.image.artifact import Artifact
    from cannery.trust.keys import SigningKey
    from cannery.trust.statement import Statement

__all__ = ["KEYLESS", "KeySigner", "KeylessSigner", "Signer", "signed_by_program"]

KEYLESS: Final = "keyless"  # in place of a key: by who is logged in
_LARGEST: Final = 1 << 24  # bytes that a program may write
_CLIENT: Final = "sigstore"  # the audience of the tokens that are asked for


class Signer(Protocol):
    """Who signs statements."""

    def artifact(self, statement: Statement) -> Artifact:
        """``statement``, signed."""
        ...


class KeySigner(NamedTuple):
    """Signs by a key."""

    key: SigningKey

    def artifact(self, statement: Statement) -> Artifact:
        """``statement``, signed, the same bytes each time."""
        return artifact_of_bundle(signed(statement, self.key), statement.predicate_type)


class KeylessSigner:
    """Signs by whoever this process is known as (OpenID Connect), with a certificate of sigstore's that lasts minutes.

    What it signs is written to sigstore's public log. Raises :class:`ToolError` where the extra isn't installed, nobody
    is known, or sigstore can't be reached.
    """

    def artifact(self, statement: Statement) -> Artifact:
        """``statement``, signed; another time it's another signature."""
        try:
            import sigstore.dsse  # noqa: PLC0415  # slow to import, and an extra
            import sigstore.models  # noqa: PLC0415
            import sigstore.oidc  # noqa: PLC0415
            import sigstore.sign  # noqa: PLC0415
        except ImportError as error:
            step = f"{installing('sigstore')}; or sign by a key"
            raise ToolError("the client of sigstore is not installed", step=step) from error
        try:
            token = sigstore.oidc.detect_credential(_CLIENT)
            identity = sigstore.oidc.IdentityToken(token, _CLIENT) if token else None
            if identity is not None:
                context = sigstore.sign.SigningContext.from_trust_config(sigstore.models.ClientTrustConfig.production())
                with context.signer(identity) as signer:
                    bundle = signer.sign_dsse(sigstore.dsse.Statement(statement.payload)).to_json()
        except Exception as error:  # whatever it and its many parts raise: the network's, the server's, its own
            step = "see that sigstore can be reached from here, or sign by a key"
            raise ToolError("sigstore signs nothing", evidence=f"{type(error).__name__}: {error}", step=step) from error
        if identity is None:
            raise _nobody()
        return artifact_of_bundle(bundle.encode(), statement.predicate_type)


def _nobody() -> ToolError:
    return ToolError(
        "nobody is logged in for whom sigstore could sign",
        evidence="in CI a token is asked for by itself: GitHub Actions needs  permissions: id-token: write",
        step="sign by a key, or run this where there is such a token",
    )


def signed_by_program(command: str, subject: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """What the program ``command`` makes to be attached to ``subject``.

    It's given the subject's descriptor as JSON on its standard input, and writes an OCI layout as a tar archive to its
    standard output: of manifests that name that subject. Raises :class:`ToolError` where it does anything else.
    """
    written = _output_of(command, json.dumps(dict(subject)).encode())
    try:
        found = tuple(_attachments(_files_in(written), str(subject["digest"])))
    except (tarfile.TarError, ImageError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _nonsense(command, str(error) or type(error).__name__) from error
    if not found:
        raise _nonsense(command, "index.json names no manifest")
    return found


def _nonsense(command: str, why: str) -> ToolError:
    return ToolError(
        f"the signer {command!r} does not write what can be attached",
        evidence=why,
        step="it has to write an OCI layout as a tar archive, of manifests that have the descriptor as their subject",
    )


def _output_of(command: str, given: bytes) -> bytes:
    """What a program writes."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ToolError(f"the signer {command!r} can't be run", evidence=str(error), step="correct it") from error
    with start(words) as process:
        written, said = process.communicate(given)
    if process.returncode:
        raise ToolError(
            f"the signer {command!r} failed with exit code {process.returncode}, and nothing was attached",
            evidence=said.decode("utf-8", "replace").strip(),
            step="see what it says",
        )
    return written


def _files_in(data: bytes) -> dict[str, bytes]:
    """The files of an archive, by their names."""
    if len(data) > _LARGEST:
        raise ValueError(f"it wrote {len(data):,} bytes")
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None:
                found[member.name.removeprefix("./")] = content.read()
    return found


def _attachments(files: Mapping[str, bytes], subject: str) -> Iterator[Attachment]:
    for entry in json_value(files["index.json"])["manifests"]:
        manifest = _blob(files, entry)
        document = json_value(manifest)
        named = (document.get("subject") or {}).get("digest")
        if named != subject:
            raise ValueError(f"it made something for {named}, and was asked for {subject}")
        parts = (document["config"], *document["layers"])
        yield Attachment(
            manifest, {f"{each['mediaType']} {number}": _blob(files, each) for number, each in enumerate(parts)}
        )


def _blob(files: Mapping[str, bytes], entry: Mapping[str, Any]) -> bytes:
    digest = Digest.parse(entry["digest"])
    data = files[f"blobs/sha256/{digest.hex}"]
    if Digest.of(data) != digest:
        raise ValueError(f"the blob {digest} is another one")
    return data
