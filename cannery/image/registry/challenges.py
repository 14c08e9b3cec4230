"""Answers to a registry that asks who one is (RFC 7235; distribution, docs/spec/auth/token.md)."""

from __future__ import annotations

import base64
import re
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import requests
import urllib3

from cannery.errors import RegistryError
from cannery.image.registry.reference import is_loopback
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from cannery.image.registry.credentials import Credential
    from cannery.image.registry.reference import Reference

__all__ = ["Challenges"]

_TIMEOUT: Final = (10, 60)  # seconds to connect, and without a byte
_LARGEST_ANSWER: Final = 1 << 20  # bytes of an answer with a token
_CHALLENGE: Final = re.compile(r"(?P<scheme>Basic|Bearer)\s+(?P<parameters>.*)", re.IGNORECASE | re.DOTALL)
_TOKEN: Final = re.compile(r"[!-~]+")  # RFC 6750, section 2.1, and more than it allows
_PARAMETER: Final = re.compile(r'([a-z_]+)="([^"]*)"', re.IGNORECASE)


class Challenges:
    """Answers challenges of one registry, with the credential for it or with none, for all threads that ask it."""

    def __init__(self, reference: Reference, credential: Credential | None) -> None:
        self._registry = reference.registry
        self._credential = credential
        self.scopes: tuple[str, ...] = ()  # that are asked for beyond those of a challenge
        self._lock = threading.Lock()
        self.header: dict[str, str] = {}  # for requests: the answer to the last challenge
        if credential and credential.kind == "registry token":
            self.header = _bearer(credential.secret, f"the token that {credential.source} has")

    @property
    def told(self) -> str:
        """Whose credential was sent, for messages."""
        if self._credential is None:
            return f"nobody is logged in to {self._registry} (docker login, podman login)"
        return f"logged in by {self._credential.source}"

    def take(self, challenge: str, sent: dict[str, str], session: requests.Session) -> bool:
        """Prepare the header that answers ``challenge``; False where there is no answer.

        ``sent`` is the header of the request that was challenged: another thread may have answered meanwhile.
        """
        with self._lock:
            if self.header != sent and self.header:
                return True
            self.header = {}
            match = _CHALLENGE.match(challenge)
            if match is None:
                return False
            if match["scheme"].lower() == "basic":
                self.header = _basic(self._credential) if self._credential else {}
            else:
                token = self._token(dict(_PARAMETER.findall(match["parameters"])), session)
                self.header = _bearer(token, f"what {self._registry} gives for a token")
            return bool(self.header)

    def _token(self, challenge: dict[str, str], session: requests.Session) -> str:
        """The token that the challenge asks for, from where the challenge says."""
        realm = challenge.get("realm", "")
        address = urlsplit(realm)
        if not _is_safe(realm):
            raise RegistryError(
                f"{self._registry} wants to be logged in to at {realm!r}",
                evidence="a password would go there in the clear",
                step="ask who runs the registry",
            )
        wanted: list[tuple[str, str]] = [("service", challenge["service"])] if challenge.get("service") else []
        scopes = dict.fromkeys([*self.scopes, *filter(None, [challenge.get("scope")])])
        wanted += [("scope", scope) for scope in scopes]
        credential = self._credential
        if credential and credential.kind == "identity token":
            form = [
                *(("grant_type", "refresh_token"), ("client_id", "cannery"), ("refresh_token", credential.secret)),
                *(wanted[:1] if challenge.get("service") else ()),
                ("scope", " ".join(scopes)),
            ]
            response = session.post(realm, data=form, timeout=_TIMEOUT, allow_redirects=False, stream=True)
        else:
            headers = _basic(credential) if credential else {}
            response = session.get(
                realm, params=wanted, headers=headers, timeout=_TIMEOUT, allow_redirects=False, stream=True
            )
        with response:
            token = _token_in(response) if response.status_code == requests.codes.ok else None
        if not token:
            raise RegistryError(
                f"{self._registry} refuses to log in",
                evidence=f"{address.scheme}://{address.netloc}{address.path}: {response.status_code}\n{self.told}",
                step=f"log in again: docker login {self._registry}",
            )
        return token


def _is_safe(realm: str) -> bool:
    """True where a secret may be sent to: over TLS, or on this machine; told by the parts of the address."""
    address = urlsplit(realm)
    if address.username is not None or address.password is not None or not address.hostname:
        return False
    return address.scheme == "https" or (address.scheme == "http" and is_loopback(address.netloc))


def _token_in(response: requests.Response) -> str | None:
    """The token in an answer, which has one of two names."""
    try:
        answer = json_value(response.raw.read(_LARGEST_ANSWER, decode_content=True))
    except (ValueError, urllib3.exceptions.HTTPError):
        return None
    token = answer.get("token") or answer.get("access_token") if isinstance(answer, dict) else None
    return token if isinstance(token, str) else None


def _basic(credential: Credential) -> dict[str, str]:
    pair = f"{credential.username}:{credential.secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _bearer(token: str, what: str) -> dict[str, str]:
    if not _TOKEN.fullmatch(token):  # an error of the client would show it
        raise RegistryError(f"{what} is none", evidence="it has letters that no token has", step="log in again")
    return {"Authorization": f"Bearer {token}"}
