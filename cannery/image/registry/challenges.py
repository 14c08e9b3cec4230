"""Answers to a registry that asks who one is (RFC 7235; distribution, docs/spec/auth/token.md)."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cannery.errors import RegistryError
from cannery.image.registry.reference import is_loopback

if TYPE_CHECKING:
    import requests

    from cannery.image.registry.credentials import Credential
    from cannery.image.registry.reference import Reference

__all__ = ["Challenges"]

_TIMEOUT: Final = (10, 60)  # seconds to connect, and without a byte
_CHALLENGE: Final = re.compile(r"(?P<scheme>Basic|Bearer)\s+(?P<parameters>.*)", re.IGNORECASE | re.DOTALL)
_PARAMETER: Final = re.compile(r'([a-z_]+)="([^"]*)"', re.IGNORECASE)


class Challenges:
    """Answers challenges of one registry, with the credential for it or with none."""

    def __init__(self, session: requests.Session, reference: Reference, credential: Credential | None) -> None:
        self._session = session
        self._registry = reference.registry
        self._credential = credential
        self.header: dict[str, str] = {}  # for requests: the answer to the last challenge
        if credential and credential.kind == "registry token":
            self.header = _bearer(credential.secret)

    @property
    def told(self) -> str:
        """Whose credential was sent, for messages."""
        if self._credential is None:
            return f"nobody is logged in to {self._registry} (docker login, podman login)"
        return f"logged in by {self._credential.source}"

    def take(self, response: requests.Response) -> bool:
        """Prepare the header that answers a challenge, anew each time; False where there is no answer."""
        self.header = {}
        match = _CHALLENGE.match(response.headers.get("WWW-Authenticate", ""))
        if match is None:
            return False
        if match["scheme"].lower() == "basic":
            self.header = _basic(self._credential) if self._credential else {}
        else:
            self.header = _bearer(self._token(dict(_PARAMETER.findall(match["parameters"]))))
        return bool(self.header)

    def _token(self, challenge: dict[str, str]) -> str:
        """The token that the challenge asks for, from where the challenge says."""
        realm = challenge.get("realm", "")
        address = urlsplit(realm)
        if address.scheme != "https" and not is_loopback(address.netloc):
            raise RegistryError(
                f"{self._registry} wants to be logged in to at {realm!r}",
                evidence="a password would go there in the clear",
                step="ask who runs the registry",
            )
        wanted = {name: challenge[name] for name in ("service", "scope") if challenge.get(name)}
        credential = self._credential
        if credential and credential.kind == "identity token":
            form = {**wanted, "grant_type": "refresh_token", "client_id": "cannery", "refresh_token": credential.secret}
            response = self._session.post(realm, data=form, timeout=_TIMEOUT)
        else:
            response = self._session.get(
                realm, params=wanted, headers=_basic(credential) if credential else {}, timeout=_TIMEOUT
            )
        with response:
            token = _token_in(response) if response.ok else None
        if not token:
            raise RegistryError(
                f"{self._registry} refuses to log in",
                evidence=f"{address.scheme}://{address.netloc}{address.path}: {response.status_code}\n{self.told}",
                step=f"log in again: docker login {self._registry}",
            )
        return token


def _token_in(response: requests.Response) -> str | None:
    """The token in an answer, which has one of two names."""
    try:
        answer = response.json()
    except ValueError:
        return None
    token = answer.get("token") or answer.get("access_token") if isinstance(answer, dict) else None
    return token if isinstance(token, str) else None


def _basic(credential: Credential) -> dict[str, str]:
    pair = f"{credential.username}:{credential.secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
