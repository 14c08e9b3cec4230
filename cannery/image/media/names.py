"""The names of images in layouts: annotations of the entries of an index (OCI image-spec v1.1, annotations.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["annotations_of", "matching", "names_of"]

_Image = TypeVar("_Image")

_NAME: Final = "org.opencontainers.image.ref.name"
_CONTAINERD: Final = "io.containerd.image.name"  # as containerd names images, with the registry


def annotations_of(reference: str) -> dict[str, str]:
    """The annotations of an entry that is to be called ``reference``."""
    first, slash, _ = reference.partition("/")
    registry = "" if slash and ("." in first or ":" in first or first == "localhost") else "docker.io/"
    library = "library/" if registry and not slash else ""
    return {_CONTAINERD: f"{registry}{library}{reference}", _NAME: reference}


def names_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of an entry; the one that its maker gave it comes first."""
    notes = entry.get("annotations") or {}
    return tuple(str(notes[key]) for key in (_NAME, _CONTAINERD) if notes.get(key))


def matching(images: Iterable[tuple[_Image, Iterable[str]]], reference: str | None) -> list[_Image]:
    """The images that ``reference`` means, of ``images`` given with their names; all where there is no reference.

    Where it is nobody's whole name, the end of one is enough: ``app:1`` means ``docker.io/team/app:1``, and so does
    ``1``.
    """
    pairs = [(image, frozenset(names)) for image, names in images]
    if not reference:
        return [image for image, _ in pairs]
    exact = [image for image, names in pairs if reference in names]
    return exact or [image for image, names in pairs if any(_ends_in(reference, name) for name in names)]


def _ends_in(reference: str, name: str) -> bool:
    return name.endswith(f"/{reference}") or name.rpartition(":")[2] == reference
