"""``invoke verify``: the proof that a pushed image is what it's said to be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cannery.tasks.flags import JSON, CommandLine, command
from cannery.tasks.project import folder_of

if TYPE_CHECKING:
    from cannery.recipes.verify import VerifiedImage
    from cannery.trust.bundle import Signatory

__all__ = ["verify"]


@command(
    help={
        "reference": "The image in its registry: ghcr.io/team/app:1.0.",
        "key": "The public key of whoever must have signed it: a file, or env://NAME.",
        "identity": "Who must have signed it by sigstore: an e-mail address, or the address of a CI workflow.",
        "issuer": "Who vouches for that identity: https://token.actions.githubusercontent.com for GitHub's CI.",
        "source": "A Git repository that has the commit (default: the project's own, or the signed one).",
        "signed_only": "Check only the signature and the provenance; build nothing. Needs --key or --identity.",
        "json": JSON,
    },
)
def verify(
    line: CommandLine,
    reference: str,
    key: str | None = None,
    identity: str | None = None,
    issuer: str | None = None,
    source: str | None = None,
    signed_only: bool = False,
    json: bool = False,
) -> None:
    """Prove that a pushed image is what its commit builds.

    'verify REFERENCE' checks the signature (by --key, or by --identity and --issuer), reads the provenance, compares
    every blob with its digest, builds the commit again with its locks and an empty cache, and compares the digests. If
    they differ, it says in which files and bytes. The exit code is 15 if any of this fails.
    """
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.recipes.verify import ProofQuestion, verified  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415
    from cannery.tasks.report.verify import CheckedReport  # noqa: PLC0415

    by = _asked_for(key, identity, issuer)
    if signed_only and by is None:
        raise ConfigurationError("--signed-only compares signatures, and no key is named", step="--key PUBLIC_KEY")
    began = time.perf_counter()
    question = ProofQuestion(reference, by, source, folder_of(line), not signed_only)
    with shown_workspace(quiet=json) as workspace:
        found = verified(question, workspace)
    print_report(CheckedReport(found, time.perf_counter() - began), json=json)
    if question.build and not found.proven:
        raise _unproven(found)


def _asked_for(key: str | None, identity: str | None, issuer: str | None) -> Signatory | None:
    """Who has to have signed the image; None where nobody is asked for."""
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.trust.keyless import SigstoreIdentity  # noqa: PLC0415
    from cannery.trust.keys import VerifyingKey  # noqa: PLC0415

    if key is not None and (identity or issuer):
        raise ConfigurationError("both a key and an identity are asked for", step="name one of them")
    if (identity is None) != (issuer is None):
        raise ConfigurationError(
            "an identity is somebody's name by somebody who vouches for it",
            evidence="--identity and --issuer go together: anybody may have that name elsewhere",
            step="name both, as cosign's --certificate-identity and --certificate-oidc-issuer have them",
        )
    if identity is not None and issuer is not None:
        return SigstoreIdentity(identity, issuer)
    return VerifyingKey.read(key) if key is not None else None


def _unproven(found: VerifiedImage) -> Exception:
    from cannery.errors import UnprovenError  # noqa: PLC0415

    made = found.rebuilt
    lines = [f"there  {found.digest}", *(f"built  {each}" for each in sorted(made.digests if made else ()))]
    return UnprovenError(
        f"{found.reference} is not what its commit builds",
        evidence="\n".join([*lines, *(made.notes if made else ())]),
        step="don't trust it, or build with the tools that it was built with",
    )
