"""The SDK's client for an engine: connected, its errors translated, its defects covered."""

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

__all__ = ["NO_INIT", "Chunks", "advice", "client_for", "lacks_init", "remove_container", "translated", "version_of"]

NO_INIT: Final = (
    "note: {engine} has no init to be process 1, so the program is that itself: signals that it doesn't handle, even "
    "its own, do nothing, and orphans stay. Install one: apt-get install tini for Docker, catatonit for Podman"
)

_ANY: Final = "1.44"  # the version of a client that asks only for the engine's, which needs none
_ATTEMPTS: Final = 5  # to remove a container
_MOMENT: Final = 0.2  # seconds between two attempts
_FREE: Final = "free space where the engine keeps its images: cannery prune shows what can go"
_STOP: Final = "stop what listens on that port (cannery ps shows what cannery started)"
_LOOK: Final = "look at the image: cannery explore"
_WANTS_TLS: Final = "HTTPS server"  # Go's words (net/http) to a client that speaks HTTP to a port for HTTPS

# What engines write (moby/moby, containers/podman, runc) -> the next step; each line is one reason to take the step,
# all of whose words must be there.
_ADVICE: Final = (
    (("no space left",), _FREE),
    (("port is already allocated",), _STOP),
    (("address already in use",), _STOP),
    (("not found", "executable"), _LOOK),
)


def client_for(endpoint: Endpoint, *, api: str, timeout: int) -> APIClient:
    """A client of the SDK, with the certificates that the environment or the Docker context names.

    ``api`` is the version of the Engine API that it speaks, ``timeout`` is in seconds.
    """
    tls: TLSConfig | bool = False
    address = endpoint.address
    if endpoint.socket is not None:
        address = f"unix://{endpoint.socket}"
    elif endpoint.context is not None and (context := ContextAPI.get_context(endpoint.context)) is not None:
        tls = context.TLSConfig
    elif endpoint.source == "DOCKER_HOST":
        settings = kwargs_from_env()
        address, tls = settings.get("base_url", address), settings.get("tls", False)
    return _SdkClient(address, version=api, timeout=timeout, tls=tls)


def version_of(endpoint: Endpoint, *, timeout: int) -> Any:
    """The engine's version and API (Engine API, SystemVersion); ``timeout`` is in seconds.

    Raises :class:`ConnectionError` with the SDK's words where no engine answers.
    """
    try:
        with closing(client_for(endpoint, api=_ANY, timeout=timeout)) as client:
            return client.version(api_version=False)
    except (DockerException, requests.RequestException) as error:
        hint = "; it wants certificates: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"
        raise ConnectionError(f"{error}{hint if _WANTS_TLS in str(error) else ''}") from error


class _SdkClient(APIClient):
    """The SDK's client, which trusts the engine's own certificates even where ``REQUESTS_CA_BUNDLE`` is set."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """The settings of a request, the session's before the environment's: requests prefers those (#3829)."""
        verify = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)


def remove_container(client: APIClient, container: str) -> None:
    """Remove a container with its anonymous volumes, whether it runs, is gone, or is being removed already."""
    for attempt in range(_ATTEMPTS):
        try:
            client.remove_container(container, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code == requests.codes.conflict:  # it's being removed already
                return
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_MOMENT)  # Podman fails to stop a container whose program ends by itself at that moment
        else:
            return


class Chunks(io.RawIOBase):
    """The chunks that an engine sends, as a stream."""

    def __init__(self, chunks: Iterator[bytes], engine: str) -> None:
        self._chunks = chunks
        self._engine = engine
        self._left = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Read what is there of the current chunk, or the next one; 0 bytes at the end."""
        view = memoryview(buffer)  # type: ignore[arg-type]  # whatever takes bytes
        with translated(self._engine):
            while not self._left and (chunk := next(self._chunks, None)) is not None:
                self._left = chunk
        data, self._left = self._left[: len(view)], self._left[len(view) :]
        view[: len(data)] = data
        return len(data)


@contextmanager
def translated(engine: str) -> Iterator[None]:
    """Turn the SDK's errors into a :class:`MachineError` in the engine's own words."""
    try:
        yield
    except BrokenPipeError:
        raise  # this process's own output is closed: the SDK's errors are of other classes
    except APIError as error:
        said = str(error.explanation or error)
        raise MachineError(f"{engine} refuses", evidence=said, step=advice(said)) from error
    except (DockerException, requests.RequestException, OSError) as error:
        raise MachineError(
            f"{engine} is gone", evidence=str(error), step="look whether it still runs, and try again"
        ) from error


def lacks_init(said: str) -> bool:
    """True for an engine's error ``said`` where its init is missing (Podman's words, Docker's), or can't be mounted."""
    return "container-init binary" in said or "docker-init" in said


def advice(said: str) -> str:
    """The next step for an engine's error ``said``, if it's a known one; otherwise empty."""
    return next((step for words, step in _ADVICE if all(word in said for word in words)), "")
