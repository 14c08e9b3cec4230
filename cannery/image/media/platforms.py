"""Which of an index's images fits (OCI image-spec v1.1, image-index.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cannery.errors import ImageError
from cannery.image.media.source import Descriptor, check
from cannery.image.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["choose"]


def choose(index: Mapping[str, Any], wanted: Platform, name: str) -> Descriptor:
    """The manifest of ``index`` that fits ``wanted`` best.

    Raises :class:`ImageError` with the platforms that there are where none does.
    """
    check(index.get("manifests"), list[dict[str, Any]], f"the index of {name}")
    there = [(platform, entry) for entry in index["manifests"] if (platform := _platform(entry)) is not None]
    fitting = [pair for pair in there if pair[0].runs_on(wanted)]
    if not fitting:
        raise _nothing(name, wanted, [platform for platform, _ in there])
    return Descriptor.parse(max(fitting, key=lambda pair: pair[0].told_variant)[1])


def _platform(entry: Mapping[str, Any]) -> Platform | None:
    """The platform of an index's entry; None for what is no image, as attestations are."""
    found = entry.get("platform")
    if not isinstance(found, dict) or found.get("os") in {None, "unknown"}:
        return None
    return Platform.from_json(found)


def _nothing(name: str, wanted: Platform, there: Sequence[Platform]) -> ImageError:
    return ImageError(
        f"the base {name} is not there for {wanted}",
        evidence=f"it's there for: {', '.join(sorted(set(map(str, there)))) or 'no platform'}",
        step='take another base, or name one of these:  [tool.cannery]  platform = "…"',
    )
