"""One repository of a registry, asked over HTTP (OCI distribution-spec v1.1)."""

from __future__ import annotations

from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final, Self, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from cannery.errors import RegistryError
from cannery.image.media_types import INDEXES, MANIFESTS
from cannery.image.registry.challenges import Challenges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.hashing import Readable
    from cannery.image.registry.credentials import Credential
    from cannery.image.registry.reference import Reference

__all__ = ["Repository"]

_TIMEOUT: Final = (10, 60)  # seconds to connect, and without a byte
_ACCEPTED: Final = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}
_UNREACHABLE: Final = "check the name, the network and the proxy (HTTPS_PROXY, REQUESTS_CA_BUNDLE)"
_AT_ENGINE: Final = "for an image that Podman calls localhost/…, say that an engine has it: docker-daemon:localhost/…"
_LARGEST_DOCUMENT: Final = 4 << 20  # bytes of a manifest, as registries limit it


class _Patience(Retry):
    """Tries again after a moment, longer each time; or after as long as the registry asks for, within reason."""

    _LONGEST: Final = 20.0  # seconds

    def get_retry_after(self, response: Any) -> float | None:
        """The seconds that the registry asks to wait."""
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, self._LONGEST)


class Repository:
    """The repository of ``reference``, asked with ``credential``, or as nobody in particular.

    Each method raises :class:`RegistryError` where the registry can't be reached or refuses.
    """

    def __init__(self, reference: Reference, credential: Credential | None) -> None:
        self._reference = reference
        self._url = f"{'http' if reference.plain else 'https'}://{reference.server}/v2/{reference.repository}"
        self._session = _session()
        self._challenges = Challenges(self._session, reference, credential)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

    def digest(self) -> str | None:
        """The digest that the reference leads to now; None where the registry won't say."""
        with self._answer("HEAD", f"manifests/{self._reference.version}") as response:
            found: str | None = response.headers.get("Docker-Content-Digest")
            return found

    def manifest(self, version: str) -> bytes:
        """The manifest or index of that tag or digest, as it's stored."""
        with self._answer("GET", f"manifests/{version}") as response:
            data: bytes = response.raw.read(_LARGEST_DOCUMENT + 1, decode_content=True)
        if len(data) > _LARGEST_DOCUMENT:
            raise RegistryError(
                f"the manifest of {self._reference} is too large", evidence=f"more than {_LARGEST_DOCUMENT} bytes"
            )
        return data

    @contextmanager
    def blob(self, digest: str) -> Iterator[Readable]:
        """The bytes of a blob."""
        with self._answer("GET", f"blobs/{digest}") as response:
            response.raw.decode_content = True
            yield cast("Readable", response.raw)

    def request(self, method: str, path: str) -> requests.Response:
        """Ask for ``path`` of the repository; once more, with credentials, where the registry challenges."""
        response = self._send(method, path)
        if response.status_code != requests.codes.unauthorized:
            return response
        with response:
            _ = response.content  # for the message, as the connection is closed then
            return self._send(method, path) if self._challenges.take(response) else response

    def _send(self, method: str, path: str) -> requests.Response:
        headers = {**_ACCEPTED, **self._challenges.header}
        return self._session.request(method, f"{self._url}/{path}", headers=headers, stream=True, timeout=_TIMEOUT)

    @contextmanager
    def _answer(self, method: str, path: str) -> Iterator[requests.Response]:
        """The answer, where it is a success; raises :class:`RegistryError` where it isn't, or none comes."""
        try:
            with self.request(method, path) as response:
                if not response.ok:
                    raise self._refused(response)
                yield response
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise RegistryError(
                f"the registry {self._reference.registry} can't be reached",
                evidence=_reason(error),
                step=_AT_ENGINE if self._reference.registry == "localhost" else _UNREACHABLE,
            ) from error

    def _refused(self, response: requests.Response) -> RegistryError:
        evidence = f"{response.request.method} {response.request.url}: {response.status_code}{_said(response)}"
        match response.status_code:
            case requests.codes.not_found:
                return RegistryError(f"there is no image {self._reference}", evidence=evidence, step="check its name")
            case requests.codes.unauthorized | requests.codes.forbidden:
                return RegistryError(
                    f"{self._reference.registry} refuses to hand out {self._reference.repository}",
                    evidence=f"{evidence}\n{self._challenges.told}",
                    step=f"check the name, or log in: docker login {self._reference.registry}",
                )
            case requests.codes.too_many_requests:
                step = f"wait, or log in, which allows more: docker login {self._reference.registry}"
            case _:
                step = "try again later"
        return RegistryError(
            f"{self._reference.registry} does not hand out {self._reference}", evidence=evidence, step=step
        )


def _session() -> requests.Session:
    """A session that tries again, and sends no cookies and no credentials of its own accord."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # Harbor takes who has any for a browser
    session.auth = lambda request: request  # else it would send the password that ~/.netrc has for the host
    patience = _Patience(
        total=4, connect=2, backoff_factor=0.3, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=patience))
    return session


def _said(response: requests.Response) -> str:
    """The registry's reasons for a refusal (OCI distribution-spec v1.1, error codes)."""
    try:
        errors = response.json()["errors"]
        return " " + "; ".join(f"{error['code']}: {error.get('message', '')}".rstrip(": ") for error in errors)
    except (ValueError, KeyError, TypeError):
        return f" {response.reason or ''}".rstrip()


def _reason(error: Exception) -> str:
    """The innermost cause of an error of requests, whose own words are long."""
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    return (
        f"{error.request.url}: {cause}"
        if isinstance(error, requests.RequestException) and error.request
        else str(cause)
    )
