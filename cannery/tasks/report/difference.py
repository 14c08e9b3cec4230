"""The report of ``invoke diff``: configuration, layers and files of two images, as far as they differ."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.tasks.report.text import aligned, human_size, styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.difference.images import FileChange, ImageDifference, LayerPair
    from cannery.recipes.difference import ImagesDifference

__all__ = ["ImagesDifferenceReport", "difference_lines", "image_as_json"]

_MOST_FILES: Final = 40  # shown by themselves; JSON has all
_LONGEST: Final = 60  # characters of a value


@dataclass(frozen=True, slots=True)
class ImagesDifferenceReport:
    """What differs between two images, for each platform."""

    found: ImagesDifference

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; sizes and places are bytes."""
        (before, after), only = self.found.names, self.found.only
        return {
            "same": self.found.same,
            "same_contents": self.found.same_contents,
            "before": {"name": before, "digest": str(self.found.digests[0]), "only_for": list(only[0])},
            "after": {"name": after, "digest": str(self.found.digests[1]), "only_for": list(only[1])},
            "images": [image_as_json(each) for each in self.found.images],
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        digests = self.found.digests
        yield from aligned(zip(self.found.names, map(str, digests), strict=True))
        if digests[0] == digests[1]:
            yield "the same image, to the byte"
            return
        for name, only in zip(self.found.names, self.found.only, strict=True):
            if only:
                yield f"for {', '.join(only)} there is only {name}"
        for each in self.found.images:
            yield from difference_lines(each)


def difference_lines(found: ImageDifference) -> Iterator[str]:
    """What differs between two images for one platform, in lines of text."""
    if found.same:
        yield f"{styled(found.platform, 'bold')}  the same, to the byte"
        return
    yield styled(found.platform, "bold")
    yield from aligned(_rows(found))
    if len(found.files) > _MOST_FILES:
        yield f"  {len(found.files) - _MOST_FILES:,} entries more: --json has all"
    if not found.fields and not found.files:
        yield "  configuration and files are the same"
        if all(pair.how == "same" for pair in found.layers):
            yield "  so are the layers: the manifests have other annotations, or are written in another way"


def _rows(found: ImageDifference) -> Iterator[Sequence[str]]:
    for field in found.fields:
        yield "  configuration", field.name, f"{_value(field.before)} -> {_value(field.after)}"
    for pair in found.layers:
        yield "  layer", pair.name, _layer(pair)
    for change in found.files[:_MOST_FILES]:
        yield f"  {change.how}", change.path, "; ".join(_file(change))


def _value(value: object) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _layer(pair: LayerPair) -> str:
    if pair.how == "same":
        return styled("the same", "dim")
    if pair.before is None or pair.after is None:
        return pair.how
    digests = f"{_short(pair.before.digest)} -> {_short(pair.after.digest)}"
    if pair.how == "packed otherwise":
        return f"{digests}: the same archive, compressed otherwise"
    return f"{digests}: the same entries, but for {pair.archives}" if pair.archives else digests


def _short(digest: object) -> str:
    return f"{str(digest)[:19]}…"


def _file(change: FileChange) -> Iterator[str]:
    yield f"in the layer {change.layer}"
    one = change.before or change.after
    if change.how != "changed" and one is not None:
        yield f"{one.kind}, {human_size(one.size)}" if one.kind == "file" else one.kind
        return
    for name, before, after in change.properties:
        if name == "time" and change.bytes is not None:
            continue  # other bytes have another time
        yield f"{name} {_property(name, before)} -> {_property(name, after)}"
    found = change.bytes
    if found is not None:
        sizes = f"{found.sizes[0]:,} -> {found.sizes[1]:,} bytes" if found.sizes[0] != found.sizes[1] else ""
        told = f"{found.differing:,} of {min(found.sizes):,} bytes differ, the first at {found.first:,}"
        yield "; ".join(filter(None, (sizes, told, found.what)))
    elif change.before and change.after and change.before.content != change.after.content:
        yield f"{change.before.content or 'nothing'} -> {change.after.content or 'nothing'}"


def _property(name: str, value: object) -> str:
    return f"{value:04o}" if name == "mode" and isinstance(value, int) else str(value)


def image_as_json(found: ImageDifference) -> dict[str, Any]:
    """What differs between two images for one platform, in JSON's types."""
    return {
        "platform": found.platform,
        "digests": [str(digest) for digest in found.digests],
        "configuration": [field._asdict() for field in found.fields],
        "layers": [_layer_as_json(pair) for pair in found.layers],
        "files": [_file_as_json(change) for change in found.files],
    }


def _layer_as_json(pair: LayerPair) -> dict[str, Any]:
    sides = (("before", pair.before), ("after", pair.after))
    digests = {
        side: {"digest": str(layer.digest), "diff_id": str(layer.diff_id), "size": layer.size} if layer else None
        for side, layer in sides
    }
    return {"name": pair.name, "how": pair.how, **digests, "archives": pair.archives or None}


def _file_as_json(change: FileChange) -> dict[str, Any]:
    sides = (("before", change.before), ("after", change.after))
    entries = {
        side: {**entry._asdict(), "attributes": dict(entry.attributes)} if entry else None for side, entry in sides
    }
    places = {**change.bytes._asdict(), "sizes": list(change.bytes.sizes)} if change.bytes else None
    return {"path": change.path, "layer": change.layer, "how": change.how, **entries, "bytes": places}
