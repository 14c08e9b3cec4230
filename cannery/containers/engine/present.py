"""Whether an engine has an image, asked without its client where that's possible: importing one takes longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.containers.engine.probe import ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.containers.engine.endpoints import Endpoint
    from cannery.image.image import Image

__all__ = ["holds", "image_id", "names_of", "prefixed"]

_OK: Final = 200  # of HTTP


def holds(endpoint: Endpoint, image: Image, references: Sequence[str]) -> bool:
    """Whether ``references`` name ``image`` there; False also where that can't be asked in this way."""
    if (path := endpoint.socket) is None:
        return False
    try:
        return all(image_id(path, reference) in names_of(image) for reference in references)
    except (OSError, ValueError):
        return False  # the client says better what is wrong


def image_id(path: str, name: str) -> str | None:
    """The ID of the image of that name, if the engine at the socket ``path`` has it."""
    status, details = ask(path, f"/images/{name}/json")
    return prefixed(details["Id"]) if status == _OK else None


def names_of(image: Image) -> tuple[str, str]:
    """What engines may call ``image``: its configuration's digest, or the manifest's as containerd's store has it."""
    return str(image.id), str(image.digest)


def prefixed(text: str) -> str:
    """An image's ID as Docker writes it; Podman leaves the algorithm out here and there."""
    return text if ":" in text else f"sha256:{text}"
