"""Which of an index's images fits (OCI image-spec v1.1, image-index.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cannery.errors import ImageError
from cannery.image.media.source import Descriptor, check
from cannery.image.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["choose", "fits"]

_USUAL: Final = {"arm64": "v8", "arm": "v7", "amd64": "v1"}  # the variant that a name without one means
_ARM: Final = ("v5", "v6", "v7", "v8")  # each runs what those before it run


def choose(index: Mapping[str, Any], wanted: Platform, name: str) -> Descriptor:
    """The manifest of ``index`` that fits ``wanted`` best.

    Raises :class:`ImageError` with the platforms that there are where none does.
    """
    check(index.get("manifests"), list[dict[str, Any]], f"the index of {name}")
    there = [(platform, entry) for entry in index["manifests"] if (platform := _platform(entry)) is not None]
    fitting = [pair for pair in there if fits(pair[0], wanted)]
    if not fitting:
        raise _nothing(name, wanted, [platform for platform, _ in there])
    return Descriptor.parse(max(fitting, key=lambda pair: _variant(pair[0]))[1])


def fits(there: Platform, wanted: Platform) -> bool:
    """Whether what is for ``there`` runs on ``wanted``."""
    if (there.os, there.architecture) != (wanted.os, wanted.architecture):
        return False
    one, other = _variant(there), _variant(wanted)
    if there.architecture == "arm" and {one, other} <= set(_ARM):
        return _ARM.index(one) <= _ARM.index(other)
    return one == other


def _variant(platform: Platform) -> str:
    return platform.variant or _USUAL.get(platform.architecture, "")


def _platform(entry: Mapping[str, Any]) -> Platform | None:
    """The platform of an index's entry; None for what is no image, as attestations are."""
    found = entry.get("platform")
    if not isinstance(found, dict) or found.get("os") in {None, "unknown"}:
        return None
    return Platform(str(found["os"]), str(found.get("architecture")), str(found.get("variant") or ""))


def _nothing(name: str, wanted: Platform, there: Sequence[Platform]) -> ImageError:
    return ImageError(
        f"the base {name} is not there for {wanted}",
        evidence=f"it's there for: {', '.join(sorted(set(map(str, there)))) or 'no platform'}",
        step='take another base, or name one of these:  [tool.cannery]  platform = "…"',
    )
