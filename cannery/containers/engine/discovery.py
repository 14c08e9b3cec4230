"""The engine that answers, or the reason why the one that was asked for doesn't."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from cannery.containers.engine.endpoints import Answer, docker_endpoints, podman_endpoints
from cannery.containers.engine.unix_http import ask, ping
from cannery.errors import CanneryError, MachineError, ToolError
from cannery.workspace.extras import installing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.containers.engine.endpoints import Endpoint
    from cannery.containers.engine.engine import Engine

__all__ = ["Choice", "answering", "client_installed", "connect", "find_engine"]

Choice = Literal["auto", "none", "docker", "podman"]

_OLDEST: Final = (1, 40)  # of the Docker API: Docker 19.03, Podman 3
_PATIENCE: Final = 5  # seconds, for engines on other machines
_START: Final = {
    "docker": "start it (sudo systemctl start docker), or set DOCKER_HOST to where it listens",
    "podman": "start its service (systemctl --user start podman.socket), or set CONTAINER_HOST to where it listens",
}
_PERMIT: Final = {
    "docker": "join its group (sudo usermod -aG docker $USER, then log in again), or use rootless Docker or Podman",
    "podman": "use your own service (systemctl --user start podman.socket), not the machine's",
}
_USUAL_SOCKET: Final = {"docker": "/var/run/docker.sock", "podman": "/run/podman/podman.sock"}
_PRODUCTS: Final = {"Docker": "Docker", "Libpod": "Podman"}  # as engines name themselves in the header Server
_UPDATE: Final = "use Docker 19.03, Podman 3 or a later one"


def find_engine(choice: Choice) -> Engine | None:
    """The engine that ``choice`` means; None for ``none``, and where ``auto`` finds none or no client for it.

    Raises :class:`MachineError` when the engine that was asked for doesn't answer, :class:`ToolError` when
    the client for it is missing.
    """
    answer = answering(choice)
    if answer is None or (choice == "auto" and not client_installed()):
        return None
    return connect(answer)


def connect(answer: Answer) -> Engine:
    """The engine that answered; raises :class:`ToolError` when the client for it is missing."""
    if not client_installed():
        raise ToolError(f"{answer} answers, but the client for it is not installed", step=installing("docker"))
    from cannery.containers.engine.sdk import SdkEngine  # noqa: PLC0415  # only where there is one

    return SdkEngine(answer)


def client_installed() -> bool:
    """True if the extra ``cannery[docker]`` is installed."""
    spec = importlib.util.find_spec("docker")
    return spec is not None and spec.origin is not None  # any folder "docker" is a namespace package, with no origin


def answering(choice: Choice) -> Answer | None:
    """The first engine that answers, of those that ``choice`` means; None for ``none``, and where ``auto`` finds none.

    Raises :class:`MachineError` when the engine that was asked for doesn't answer.
    """
    if choice == "none":
        return None
    if choice == "auto":
        return next(filter(None, map(_attempt, ("docker", "podman"))), None)
    return _first(choice, _endpoints(choice))


def _attempt(kind: str) -> Answer | None:
    try:
        return _first(kind, (endpoint for endpoint in _endpoints(kind) if endpoint.there))
    except CanneryError:
        return None  # a user who wants to know why names the engine


def _endpoints(kind: str) -> Iterable[Endpoint]:
    if kind == "docker":
        return docker_endpoints(os.environ, Path.home())
    return podman_endpoints(os.environ)


def _first(kind: str, endpoints: Iterable[Endpoint]) -> Answer:
    """The first answer of ``endpoints``; raises :class:`MachineError` with the complaint of each if none answers."""
    complaints: list[MachineError] = []
    for endpoint in endpoints:
        try:
            return _greet(kind, endpoint)
        except FileNotFoundError:
            complaints.append(_silent(kind, endpoint, "there is no such socket"))
        except PermissionError as error:
            raise MachineError(
                f"you may not talk to {kind.capitalize()}",
                evidence=f"{endpoint.address} ({endpoint.source}): {error.strerror}",
                step=_PERMIT[kind],
            ) from error
        except (OSError, ValueError) as error:
            complaints.append(_silent(kind, endpoint, str(error)))
    evidence = "\n".join(complaint.evidence for complaint in complaints)
    raise MachineError(f"{kind.capitalize()} is not running, or does not answer", evidence=evidence, step=_START[kind])


def _silent(kind: str, endpoint: Endpoint, why: str) -> MachineError:
    return MachineError(kind, evidence=f"{endpoint.address} ({endpoint.source}): {why}")


def _greet(kind: str, endpoint: Endpoint) -> Answer:
    if endpoint.address.startswith("ssh://"):
        from cannery.containers.engine.tunnel import forwarded  # noqa: PLC0415  # few have their engine elsewhere

        endpoint = endpoint._replace(forwarded=forwarded(endpoint.address, _USUAL_SOCKET[kind]))
    answer = _introduced(endpoint) or _described(endpoint)
    if tuple(map(int, answer.api.split("."))) < _OLDEST:
        raise MachineError(
            f"{kind.capitalize()} is too old: version {answer.version} speaks API {answer.api}",
            evidence=f"{endpoint.address} ({endpoint.source})",
            step=_UPDATE,
        )
    return answer


def _introduced(endpoint: Endpoint) -> Answer | None:
    """The engine by the headers of its greeting, which takes a millisecond; None where these don't name it.

    Podman describes itself in half a second: it runs other programs, and dpkg or rpm, for the versions of those.
    """
    if endpoint.socket is None:
        return None
    headers = ping(endpoint.socket)
    product, _, rest = headers.get("server", "").partition("/")  # "Docker/20.10.24 (linux)"
    version, api = rest.partition(" ")[0], headers.get("api-version", "")
    return Answer(endpoint, _PRODUCTS[product], version, api) if product in _PRODUCTS and version and api else None


def _described(endpoint: Endpoint) -> Answer:
    """The engine by its full description (Engine API, SystemVersion)."""
    if endpoint.socket is not None:
        status, about = ask(endpoint.socket, "/version")
        if status != 200:  # noqa: PLR2004  # HTTP's OK
            raise ValueError(f"answers /version with {status}")
    else:
        about = _ask_with_client(endpoint)
    if not isinstance(about, dict) or not {"ApiVersion", "Version"} <= about.keys():
        raise ValueError("says nothing of its version")
    parts = {part["Name"] for part in about.get("Components") or ()}
    engine = "Podman" if "Podman Engine" in parts else "Docker"
    return Answer(endpoint, engine, about["Version"], str(about["ApiVersion"]))


def _ask_with_client(endpoint: Endpoint) -> Any:
    """The engine's version and API (Engine API, SystemVersion), asked through the SDK where no socket leads to it."""
    if not client_installed():
        raise ToolError(f"{endpoint.address} needs a client", step=installing("docker"))
    from cannery.containers.engine.client import version_of  # noqa: PLC0415

    return version_of(endpoint, timeout=_PATIENCE)
