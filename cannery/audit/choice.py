"""Which image of an archive is meant, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.audit.contents import ImageContents
from cannery.errors import ImageError
from cannery.image.media.docker_archive import MANIFEST_FILE, saved_images
from cannery.image.media.files import blob_name
from cannery.image.media.layout import INDEX_FILE
from cannery.image.media.medium import Descriptor, check
from cannery.image.media.names import matching
from cannery.image.media.walk import candidates
from cannery.image.platform import Platform, machine_platform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.audit.archives import Saved

__all__ = ["choose"]


@dataclass(frozen=True)
class _ArchivedImage:
    """An image of the archive: where its configuration and its layers are."""

    names: frozenset[str]
    platform: Platform
    config: str
    layers: tuple[str, ...]


def choose(saved: Saved, reference: str = "", distribution: str | None = None) -> ImageContents:
    """The contents of the image called ``reference``, or the only one, or the one for this machine.

    Raises :class:`ImageError` where there's none, or several and no telling which.
    """
    found = _only_different(_of_docker(saved) if MANIFEST_FILE in saved else _of_oci(saved))
    named = matching(((each, each.names) for each in found), reference)
    here = machine_platform() if len(named) > 1 else None
    fitting = [each for each in named if here is None or each.platform.runs_on(here)]
    if len(fitting) != 1:
        raise ImageError(
            f"{saved.name} has {len(fitting) or 'no'} images{f' called {reference}' if reference else ''}"
            + ("" if len(named) == len(fitting) else f" for {here}"),
            evidence="\n".join(sorted(_told(each) for each in found)),
            step="name one of them: --image ARCHIVE:NAME",
        )
    (image,) = fitting
    name = min(image.names, default=saved.name)
    return ImageContents(name, _object(saved, image.config), [saved.layer(each) for each in image.layers], distribution)


def _of_docker(saved: Saved) -> Iterator[_ArchivedImage]:
    """The images of a ``docker save`` archive."""
    for each in saved_images(saved.document(MANIFEST_FILE), f"{MANIFEST_FILE} in {saved.name}"):
        names, config = frozenset(each.get("RepoTags") or ()), each["Config"]
        yield _ArchivedImage(names, _platform(_object(saved, config)), config, tuple(each["Layers"]))


def _of_oci(saved: Saved) -> Iterator[_ArchivedImage]:
    """The images of an OCI layout, as far as their manifests were saved along."""

    def read(descriptor: Descriptor) -> Mapping[str, Any] | None:
        name = blob_name(descriptor.digest)
        return _object(saved, name) if name in saved else None

    for each in candidates(_object(saved, INDEX_FILE), read, f"{INDEX_FILE} in {saved.name}"):
        if (manifest := read(each.manifest)) is not None:
            check(manifest.get("layers"), list[dict[str, Any]], f"a manifest in {saved.name}")
            config, *layers = map(Descriptor.parse, (manifest.get("config"), *manifest["layers"]))
            files = tuple(blob_name(layer.digest) for layer in layers)
            yield _ArchivedImage(each.names, each.platform, blob_name(config.digest), files)


def _only_different(candidates: Iterator[_ArchivedImage]) -> list[_ArchivedImage]:
    """Each image once, with all of its names."""
    found: dict[str, _ArchivedImage] = {}
    for each in candidates:
        names = each.names | found[each.config].names if each.config in found else each.names
        found[each.config] = _ArchivedImage(names, each.platform, each.config, each.layers)
    return list(found.values())


def _platform(config: Mapping[str, Any]) -> Platform:
    return Platform.from_json({"os": "linux", **config})


def _told(candidate: _ArchivedImage) -> str:
    return f"{', '.join(sorted(candidate.names)) or 'without a name'}  {candidate.platform}"


def _object(saved: Saved, name: str) -> Mapping[str, Any]:
    document = saved.document(name)
    if not isinstance(document, dict):
        raise ImageError(f"{name} in {saved.name} is no JSON object")
    return document
