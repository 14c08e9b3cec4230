"""One repository of a registry, asked over HTTP (OCI distribution-spec v1.1)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self, cast

import requests

from cannery.errors import RegistryError
from cannery.image.media_types import INDEXES, MANIFESTS
from cannery.image.registry.connection import FAILURES, Connection, shown, text_of
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.image.hashing import Readable
    from cannery.image.registry.connection import Body
    from cannery.image.registry.credentials import Credential
    from cannery.image.registry.reference import Reference

__all__ = ["Repository", "refusal", "said"]

_ACCEPTED: Final = {"Accept": ", ".join((*INDEXES, *MANIFESTS)), "Accept-Encoding": "identity"}
_UNREACHABLE: Final = "check the name, the network and the proxy (HTTPS_PROXY, REQUESTS_CA_BUNDLE)"
_AT_ENGINE: Final = "for an image that Podman calls localhost/…, say that an engine has it: docker-daemon:localhost/…"
_NOT_SHOWN: Final = {requests.codes.unauthorized, requests.codes.forbidden, requests.codes.not_found}
_LARGEST_DOCUMENT: Final = 4 << 20  # bytes of a manifest, as registries limit it


class Repository:
    """The repository of ``reference``, asked with ``credential``, or as nobody in particular, from any thread.

    Each method raises :class:`RegistryError` where the registry can't be reached or refuses.
    """

    def __init__(self, reference: Reference, credential: Credential | None) -> None:
        self.reference = reference
        self.connection = Connection(reference, credential)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.connection.close()

    def digest(self) -> str | None:
        """The digest that the reference leads to now; None where the registry won't say."""
        with self._answer("HEAD", f"manifests/{self.reference.version}") as response:
            found: str | None = response.headers.get("Docker-Content-Digest")
            return found

    def leads_to(self, tag: str) -> str | None:
        """The digest that ``tag`` leads to; None where there is no such tag, or the registry won't say."""
        with self.asked("HEAD", f"manifests/{tag}", headers=_ACCEPTED) as response:
            found: str | None = response.headers.get("Docker-Content-Digest")
            return found if response.ok else None

    def manifest(self, version: str) -> bytes:
        """The manifest or index of that tag or digest, as it's stored."""
        with self._answer("GET", f"manifests/{version}") as response:
            return self._document(response)

    def _document(self, response: requests.Response) -> bytes:
        data: bytes = response.raw.read(_LARGEST_DOCUMENT + 1, decode_content=True)
        if len(data) > _LARGEST_DOCUMENT:
            raise RegistryError(
                f"the manifest of {self.reference} is too large", evidence=f"more than {_LARGEST_DOCUMENT} bytes"
            )
        return data

    def found_manifest(self, version: str) -> bytes | None:
        """The same; None where the registry has none, or won't show it."""
        with self.asked("GET", f"manifests/{version}", headers=_ACCEPTED) as response:
            if response.status_code in _NOT_SHOWN:
                return None
            if not response.ok:
                raise self.refused(response)
            return self._document(response)

    @contextmanager
    def blob(self, digest: str) -> Iterator[Readable]:
        """The bytes of a blob."""
        with self._answer("GET", f"blobs/{digest}") as response:
            response.raw.decode_content = True
            yield cast("Readable", response.raw)

    @contextmanager
    def _answer(self, method: str, path: str) -> Iterator[requests.Response]:
        """The answer, where it is a success; raises :class:`RegistryError` where it isn't, or none comes."""
        with self.asked(method, path, headers=_ACCEPTED) as response:
            if not response.ok:
                raise self.refused(response)
            yield response

    @contextmanager
    def asked(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        again: bool = True,
    ) -> Iterator[requests.Response]:
        """The answer of the registry, whatever it is.

        ``path`` is one in the repository; one in the registry, which begins with a slash; or an address.
        Raises :class:`RegistryError` where no answer comes.
        """
        url = path if path.startswith("/") or "://" in path else f"/v2/{self.reference.repository}/{path}"
        try:
            with self.connection.ask(method, url, headers=headers, body=body, again=again) as response:
                yield response
        except FAILURES as error:
            raise self.unreachable(error) from error

    def unreachable(self, error: Exception) -> RegistryError:
        """The error for a connection that failed."""
        return RegistryError(
            f"the registry {self.reference.registry} can't be reached",
            evidence=_reason(error),
            step=_AT_ENGINE if self.reference.registry == "localhost" else _UNREACHABLE,
        )

    def refused(self, response: requests.Response) -> RegistryError:
        """The error for an answer that hands nothing out."""
        evidence = said(response)
        match response.status_code:
            case requests.codes.not_found:
                return RegistryError(f"there is no image {self.reference}", evidence=evidence, step="check its name")
            case requests.codes.unauthorized | requests.codes.forbidden:
                return RegistryError(
                    f"{self.reference.registry} refuses to hand out {self.reference.repository}",
                    evidence=f"{evidence}\n{self.connection.told}",
                    step=f"check the name, or log in: docker login {self.reference.registry}",
                )
            case requests.codes.too_many_requests:
                step = f"wait, or log in, which allows more: docker login {self.reference.registry}"
            case _:
                step = "try again later"
        return RegistryError(
            f"{self.reference.registry} does not hand out {self.reference}", evidence=evidence, step=step
        )


def refusal(repository: Repository, response: requests.Response) -> RegistryError:
    """The error for a registry that doesn't take what it's sent."""
    registry, name = repository.reference.registry, repository.reference.repository
    evidence = said(response)
    match response.status_code:
        case requests.codes.unauthorized | requests.codes.forbidden:
            return RegistryError(
                f"{registry} does not let you write to {name}",
                evidence=f"{evidence}\n{repository.connection.told}",
                step=f"log in as somebody who may: docker login {registry}",
            )
        case requests.codes.not_found | requests.codes.method_not_allowed:
            step = "make the repository there, if that registry makes none by itself, or correct its name"
            return RegistryError(f"{registry} has no repository {name} to write to", evidence=evidence, step=step)
        case requests.codes.insufficient_storage:
            step = "make room there, or remove images that nobody needs"
        case _:
            step = "try again later; ask who runs the registry where that doesn't help"
    return RegistryError(f"{registry} does not take what is pushed to {name}", evidence=evidence, step=step)


def said(response: requests.Response) -> str:
    """A request, and the registry's reasons to refuse it (OCI distribution-spec v1.1, error codes)."""
    asked = f"{response.request.method} {shown(response.request.url or '')}: {response.status_code}"
    try:
        errors = json_value(text_of(response))["errors"]
        reasons = "; ".join(f"{error['code']}: {error.get('message', '')}".rstrip(": ") for error in errors)
    except (ValueError, KeyError, TypeError, AttributeError):
        reasons = response.reason or ""
    return f"{asked} {reasons}".rstrip()


def _reason(error: Exception) -> str:
    """The innermost cause of an error of requests, whose own words are long."""
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    return (
        f"{shown(error.request.url or '')}: {cause}"
        if isinstance(error, requests.RequestException) and error.request
        else str(cause)
    )
