"""The IDs under which an engine has images, asked for over its socket: importing the SDK would take longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.containers.engine.unix_http import ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.containers.engine.endpoints import Endpoint
    from cannery.image.image import Image

__all__ = ["holds", "image_id", "names_of", "prefixed"]

_OK: Final = 200  # of HTTP


def holds(endpoint: Endpoint, image: Image, references: Sequence[str]) -> bool:
    """True if all ``references`` name ``image`` in the engine; False also where no socket leads to it."""
    if (path := endpoint.socket) is None:
        return False
    try:
        return all(image_id(path, reference) in names_of(image) for reference in references)
    except (OSError, ValueError):
        return False  # the SDK, which is asked next, says better what is wrong


def image_id(path: str, name: str) -> str | None:
    """The ID of the image called ``name`` in the engine at the socket ``path``; None if it has none.

    Raises as :func:`~cannery.containers.engine.unix_http.ask` does.
    """
    status, details = ask(path, f"/images/{name}/json")
    return prefixed(details["Id"]) if status == _OK else None


def names_of(image: Image) -> tuple[str, str]:
    """The IDs that engines give ``image``: its configuration's digest, or its manifest's in containerd's store."""
    return str(image.id), str(image.digest)


def prefixed(text: str) -> str:
    """An image's ID with its algorithm, as Docker writes it and Podman in some answers doesn't."""
    return text if ":" in text else f"sha256:{text}"
