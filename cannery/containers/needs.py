"""What an image's program needs of a hardened container, as the image's label says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.containers.limits import Limits
    from cannery.image.image import Image

__all__ = ["EXECUTABLE_TMP", "NEEDS_LABEL", "limits_for", "needs_executable_tmp"]

NEEDS_LABEL: Final = "dev.cannery.needs"  # on images of programs that a hardened container has to allow something
EXECUTABLE_TMP: Final = "executable-tmp"  # the value for a program that unpacks itself into /tmp, and runs from there


def needs_executable_tmp(image: Image) -> bool:
    """True for an image whose program runs files in ``/tmp``, as its label says."""
    labels: Mapping[str, str] = (image.config.get("config") or {}).get("Labels") or {}
    return labels.get(NEEDS_LABEL) == EXECUTABLE_TMP


def limits_for(image: Image, limits: Limits) -> Limits:
    """``limits``, with room for what the program of ``image`` unpacks."""
    return limits.unpacking() if needs_executable_tmp(image) else limits
