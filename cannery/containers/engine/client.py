"""The SDK's client for an engine: how it's connected, what its errors say, and what it needs help with."""

from __future__ import annotations

import io
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import requests
from docker import APIClient
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env

from cannery.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.tls import TLSConfig

    from cannery.containers.engine.endpoints import Endpoint

__all__ = ["Chunks", "advice", "client_for", "remove_container", "translated", "version_of"]

_ATTEMPTS: Final = 5  # to remove a container
_MOMENT: Final = 0.2  # seconds between them


def client_for(endpoint: Endpoint, *, timeout: int) -> APIClient:
    """A client of the SDK, with the certificates that the environment or the context names."""
    tls: TLSConfig | bool = False
    address = endpoint.address
    if endpoint.socket is not None:
        address = f"unix://{endpoint.socket}"
    elif endpoint.context is not None and (context := ContextAPI.get_context(endpoint.context)) is not None:
        tls = context.TLSConfig
    elif endpoint.source == "DOCKER_HOST":
        settings = kwargs_from_env()
        address, tls = settings.get("base_url", address), settings.get("tls", False)
    return _SdkClient(address, version="auto", timeout=timeout, tls=tls)


def version_of(endpoint: Endpoint, *, timeout: int) -> Any:
    """What an engine says of itself; raises :class:`ConnectionError` with what the SDK says where none answers."""
    try:
        client = client_for(endpoint, timeout=timeout)
    except (DockerException, requests.RequestException) as error:
        hint = (
            "; it wants certificates: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"
            if "HTTPS server" in str(error)
            else ""
        )
        raise ConnectionError(f"{error}{hint}") from error
    with closing(client):
        return client.version()


class _SdkClient(APIClient):
    """The SDK's client; certificates that an engine was named with aren't beaten by ``REQUESTS_CA_BUNDLE``."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """As requests does it, but for the variable that it prefers to the session's own (psf/requests #3829)."""
        verify = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)


def remove_container(client: APIClient, container: str) -> None:
    """Remove a container that may run, or be gone or going already."""
    for attempt in range(_ATTEMPTS):
        try:
            client.remove_container(container, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code == requests.codes.conflict:  # the engine is removing it
                return
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_MOMENT)  # Podman fails to end what ends by itself at that moment
        else:
            return


class Chunks(io.RawIOBase):
    """What an engine sends, as a stream."""

    def __init__(self, chunks: Iterator[bytes], engine: str) -> None:
        self._chunks = chunks
        self._engine = engine
        self._left = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Read as the engine sends."""
        view = memoryview(buffer)  # type: ignore[arg-type]  # whatever takes bytes
        with translated(self._engine):
            while not self._left and (chunk := next(self._chunks, None)) is not None:
                self._left = chunk
        data, self._left = self._left[: len(view)], self._left[len(view) :]
        view[: len(data)] = data
        return len(data)


@contextmanager
def translated(engine: str) -> Iterator[None]:
    """Turn what the SDK raises into a :class:`MachineError` in the engine's own words."""
    try:
        yield
    except BrokenPipeError:
        raise  # who reads this process's output has seen enough: the SDK's own errors are of other kinds
    except APIError as error:
        said = str(error.explanation or error)
        raise MachineError(f"{engine} refuses", evidence=said, step=advice(said)) from error
    except (DockerException, requests.RequestException, OSError) as error:
        raise MachineError(
            f"{engine} is gone", evidence=str(error), step="look whether it still runs, and try again"
        ) from error


def advice(said: str) -> str:
    """What to do about that which an engine said."""
    if "no space left" in said:
        return "free space where the engine keeps its images: cannery prune shows what can go"
    if "port is already allocated" in said or "address already in use" in said:
        return "stop what listens on that port (cannery ps shows what cannery started)"
    if "toomanyrequests" in said or ("not found" in said and "executable" in said):
        return "look at the image: cannery explore"
    return ""
