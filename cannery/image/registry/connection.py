"""Requests to one registry: who is told a secret, what is tried again, and how long anything may take or be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from cannery.errors import RegistryError
from cannery.image.registry.bounded import POOLS
from cannery.image.registry.challenges import Challenges
from cannery.image.registry.reference import is_loopback
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from cannery.image.registry.credentials import Credential
    from cannery.image.registry.reference import Reference
    from cannery.workspace.workspace import Progress

__all__ = ["FAILURES", "LARGEST_TEXT", "RETRIED", "WAITS", "Body", "Connection", "place", "shown", "text_of"]

Body = Callable[[], "bytes | BinaryIO"]  # what is sent, from its beginning, each time that it's called

RETRIED: Final = frozenset({408, 429, 499, 500, 502, 503, 504, 522})
WAITS: Final = (1.0, 3.0, 9.0)  # seconds before each further attempt
FAILURES: Final = (requests.RequestException, urllib3.exceptions.HTTPError)  # of a connection
LARGEST_TEXT: Final = 1 << 16  # bytes of an answer that says why something is refused

_TIMEOUT: Final = (10, 60)  # seconds to connect, and without a byte
_LONGEST_WAIT: Final = 20.0  # seconds, whatever a registry asks for
_MOST_REDIRECTS: Final = 10
_BLOCK: Final = 1 << 18  # bytes that are handed to a socket at a time
_PORTS: Final = {"https": 443, "http": 80}
_REDIRECTS: Final = {301, 302, 303, 307, 308}


class Connection:
    """A way to ask the registry of ``reference``, with ``credential`` or as nobody in particular, from any thread.

    A secret is sent to the registry's own host alone, and to the place where that has tokens made; neither follows a
    redirect.
    """

    def __init__(
        self,
        reference: Reference,
        credential: Credential | None,
    ) -> None:
        self._registry = reference.registry
        self._origin = f"{'http' if reference.plain else 'https'}://{reference.server}"
        self._challenges = Challenges(reference, credential)
        self._progress: Progress = silent
        self._threads = threading.local()
        self._sessions: list[requests.Session] = []

    def more_scopes(self, scopes: Iterable[str]) -> None:
        """Ask for ``scopes`` along with those of challenges from now on (distribution, docs/spec/auth/scope.md)."""
        self._challenges.scopes = tuple(dict.fromkeys((*self._challenges.scopes, *scopes)))

    def shown_by(self, progress: Progress) -> None:
        """Say on ``progress`` from now on what is waited for."""
        self._progress = progress

    def close(self) -> None:
        """Disconnect."""
        for session in self._sessions:
            session.close()

    @property
    def told(self) -> str:
        """Whose credential was sent, for messages."""
        return self._challenges.told

    def absolute(self, location: str, base: str) -> str:
        """The address that ``location`` in an answer of ``base`` means, its query as it is.

        The registry's own host keeps its scheme: behind a proxy it may not know that it's reached by TLS.
        """
        try:
            found = urljoin(base, location)
            parts, own = urlsplit(found), urlsplit(self._origin)
        except ValueError as error:
            raise requests.exceptions.InvalidURL(f"{location!r} is no address: {error}") from None
        if parts.hostname == own.hostname and parts.scheme == "http" and own.scheme == "https":
            return f"https{found.removeprefix('http')}"
        return found

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        again: bool = True,
    ) -> requests.Response:
        """The answer to a request, challenges answered; ``url`` may begin behind the registry's host.

        With ``again`` a request that fails is sent again, :data:`WAITS` long. Raises :data:`FAILURES`.
        """
        url = self.absolute(url, self._origin)
        waits = iter(WAITS if again else ())
        while True:
            try:
                response = self._answered(method, url, headers or {}, body)
            except requests.RequestException as error:
                if not _may_heal(error) or (wait := next(waits, None)) is None:
                    raise
                self.wait(wait, type(error).__name__)
                continue
            except ValueError as error:  # of an address or a header that can't be
                raise requests.exceptions.InvalidURL(f"{self._registry} asks for what can't be: {error}") from None
            if response.status_code not in RETRIED or (wait := next(waits, None)) is None:
                return response
            with response:
                self.wait(asked_to_wait(response, wait), str(response.status_code))

    def wait(self, seconds: float, why: str) -> None:
        """Wait before another attempt, and say so."""
        self._progress(f"{self._registry} did not answer as it should ({why}): trying again in {seconds:.0f} s")
        time.sleep(seconds)

    def _answered(self, method: str, url: str, headers: Mapping[str, str], body: Body | None) -> requests.Response:
        """The answer, asked for once more where the registry wants to know who asks."""
        known = self._challenges.header
        response = self._redirected(method, url, headers, body)
        if response.status_code != requests.codes.unauthorized or not self._is_own(response.url):
            return response
        challenge = response.headers.get("WWW-Authenticate", "")
        try:
            if not self._challenges.take(challenge, known, self._session):
                return response
        except BaseException:
            response.close()
            raise
        with response:
            pass
        return self._redirected(method, url, headers, body)

    def _redirected(self, method: str, url: str, headers: Mapping[str, str], body: Body | None) -> requests.Response:
        """The answer at the end of all redirects; their addresses are taken as they are written (RFC 9110, 15.4)."""
        before = self._origin
        for _ in range(_MOST_REDIRECTS):
            if body is not None and not _is_private(url):  # a redirect, or where the registry wants an upload to go
                raise RegistryError(
                    f"{self._registry} leads to {urlsplit(url).hostname} without TLS",
                    evidence=f"{method} {shown(before)} leads to {shown(url)}",
                    step="ask who runs the registry",
                )
            response = self._sent(method, url, headers, body)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not location:
                return response
            with response:
                before, url = url, self.absolute(location, url)
            if response.status_code == requests.codes.see_other:
                method, body = "GET", None
        raise RegistryError(f"{self._registry} redirects for ever", evidence=shown(url), step="check the name")

    def _sent(self, method: str, url: str, headers: Mapping[str, str], body: Body | None) -> requests.Response:
        secret = self._challenges.header if self._is_own(url) else {}
        data: Any = body() if body is not None else None
        try:
            request = requests.Request(method, url, headers={**headers, **secret}, data=data)
            prepared = self._session.prepare_request(request)
            prepared.url = url  # prepared, it may be spelt otherwise, and an upload's state is signed
            settings = self._session.merge_environment_settings(url, {}, stream=True, verify=None, cert=None)
            adapter = self._session.get_adapter(url)  # the session itself would begin to follow redirects
            return adapter.send(prepared, timeout=_TIMEOUT, **cast("Any", settings))
        finally:
            if hasattr(data, "close"):
                data.close()

    def _is_own(self, url: str) -> bool:
        """True for an address of the registry's own host, told by its parts."""
        return place(url) == place(self._origin)

    @property
    def _session(self) -> requests.Session:
        """The session of the calling thread."""
        if not hasattr(self._threads, "session"):
            self._threads.session = _session()
            self._sessions.append(self._threads.session)
        session: requests.Session = self._threads.session
        return session


class _Adapter(HTTPAdapter):
    """Sends bodies in larger blocks than usual, as a layer has many megabytes, and hears nothing for ever."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, blocksize=_BLOCK)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager


class _Session(requests.Session):
    """Asks this machine itself, and no proxy: what is sent without TLS would be read there."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """The settings that variables of the environment have for ``url``."""
        settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return {**settings, "proxies": {}} if _is_here(str(url)) else settings


def _session() -> requests.Session:
    """A session that sends no cookies and no credentials of its own accord."""
    session = _Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # Harbor takes who has any for a browser
    session.auth = lambda request: request  # else it would send the password that ~/.netrc has for the host
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(max_retries=0))
    return session


def asked_to_wait(response: requests.Response, usual: float) -> float:
    """The seconds that an answer asks to wait, within reason (RFC 9110, Retry-After); else the ``usual`` ones."""
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isdecimal() else usual


def text_of(response: requests.Response, most: int = LARGEST_TEXT) -> bytes:
    """The beginning of an answer's body, at most so many bytes: a registry might send for ever."""
    try:
        data: bytes = response.raw.read(most, decode_content=True) or b""
    except FAILURES:
        return b""
    return data


def _may_heal(error: requests.RequestException) -> bool:
    """True for a failure that another attempt may not meet: no refused connection, no name that nobody knows."""
    refused = isinstance(error, requests.ConnectionError) and isinstance(
        getattr(error.args[0] if error.args else None, "reason", None), urllib3.exceptions.NewConnectionError
    )
    return not refused and isinstance(
        error, requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError
    )


def _is_private(url: str) -> bool:
    """True where nobody on the way can read along."""
    return urlsplit(url).scheme == "https" or _is_here(url)


def _is_here(url: str) -> bool:
    """True for an address on this machine, told by its parts: what is before an ``@`` is no host."""
    netloc = urlsplit(url).netloc
    return "@" not in netloc and is_loopback(netloc)


def place(url: str) -> tuple[str, str | None, int | None]:
    """The scheme, the host and the port of an address, in which those that are usual may be left out."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def shown(url: str) -> str:
    """An address without its query, which may hold a secret."""
    return url.partition("?")[0]
