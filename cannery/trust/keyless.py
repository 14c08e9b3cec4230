"""Who is known to sigstore, and whether they signed: what ``cosign verify --certificate-identity`` asks for.

The client of sigstore checks it: the certificate, by its own list of trusted keys, that it was written to the public
log, and that the signature was made while the certificate was valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cannery.errors import ToolError
from cannery.trust.statement import IN_TOTO
from cannery.workspace.extras import installing

if TYPE_CHECKING:
    from cannery.trust.bundle import SignedStatement

__all__ = ["SigstoreIdentity"]


@dataclass(frozen=True)
class SigstoreIdentity:
    """Somebody, as an issuer of identities (OpenID Connect) knows them."""

    name: str  # an address of e-mail, or of a workflow: https://github.com/team/app/.github/workflows/release.yml@…
    issuer: str  # https://token.actions.githubusercontent.com

    @property
    def hint(self) -> str:
        """What tells it from others of that name."""
        return self.issuer

    def signed(self, bundle: SignedStatement) -> bool:
        """True where they signed the statement in ``bundle``.

        Raises :class:`ToolError` where the extra isn't installed, or sigstore's list of keys can't be had.
        """
        verifier = self._verifier
        import sigstore.errors  # noqa: PLC0415  # after that, which tells where it isn't installed
        import sigstore.models  # noqa: PLC0415
        import sigstore.verify.policy  # noqa: PLC0415

        wanted = sigstore.verify.policy.Identity(identity=self.name, issuer=self.issuer)
        try:
            kind, payload = verifier.verify_dsse(sigstore.models.Bundle.from_json(bundle.data), wanted)
        except sigstore.errors.Error:  # another signed it, by a key for one, or something of it doesn't hold
            return False
        return (kind, payload) == (IN_TOTO, bundle.payload)

    @cached_property
    def _verifier(self) -> Any:
        """What compares signatures, with the list of keys that is in force today."""
        try:
            import sigstore.verify  # noqa: PLC0415  # slow to import, and an extra
        except ImportError as error:
            step = f"{installing('sigstore')}; or name a key: --key"
            raise ToolError("the client of sigstore is not installed", step=step) from error
        try:
            return sigstore.verify.Verifier.production()
        except Exception as error:  # whatever it and its many parts raise: the network's, the server's, its own
            raise ToolError(
                "sigstore's list of trusted keys can't be had",
                evidence=f"{type(error).__name__}: {error}",
                step="see that tuf-repo-cdn.sigstore.dev can be reached from here, or name a key: --key",
            ) from error
