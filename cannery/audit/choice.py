"""Which image of an archive is meant, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.audit.contents import ImageContents
from cannery.errors import ImageError
from cannery.image.platform import Platform, machine_platform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.audit.archives import Saved

__all__ = ["choose"]

_DEEPEST = 4  # indexes in indexes
_REFERENCE = "org.opencontainers.image.ref.name"
_ATTESTATION = "vnd.docker.reference.type"


@dataclass(frozen=True)
class _Candidate:
    """An image of the archive: where its configuration and its layers are."""

    names: frozenset[str]
    platform: Platform
    config: str
    layers: tuple[str, ...]


def choose(saved: Saved, reference: str = "", distribution: str | None = None) -> ImageContents:
    """The contents of the image called ``reference``, or the only one, or the one for this machine.

    Raises :class:`ImageError` where there's none, or several and no telling which.
    """
    found = _only_different(_of_docker(saved) if "manifest.json" in saved else _of_oci(saved))
    named = [each for each in found if not reference or any(_matches(name, reference) for name in each.names)]
    here = machine_platform()
    fitting = named if len(named) == 1 else [each for each in named if each.platform.runs_on(here)]
    if len(fitting) != 1:
        raise ImageError(
            f"{saved.name} has {len(fitting) or 'no'} images{f' called {reference}' if reference else ''}"
            + ("" if len(named) == len(fitting) else f" for {here}"),
            evidence="\n".join(sorted(_told(each) for each in found)),
            step="name one of them: --image ARCHIVE:NAME",
        )
    (image,) = fitting
    name = min(image.names, default=saved.name)
    return ImageContents(name, saved.document(image.config), [saved.layer(each) for each in image.layers], distribution)


def _of_docker(saved: Saved) -> Iterator[_Candidate]:
    """The images of a ``docker save`` archive."""
    for each in _list(saved.document("manifest.json"), "manifest.json"):
        try:
            names = frozenset(each.get("RepoTags") or ())
            yield _Candidate(names, _platform(saved.document(each["Config"])), each["Config"], tuple(each["Layers"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise _odd("manifest.json", error) from error


def _of_oci(saved: Saved) -> Iterator[_Candidate]:
    """The images of an OCI layout."""
    yield from _of_index(saved, saved.document("index.json"), frozenset(), 0)


def _of_index(saved: Saved, index: Mapping[str, Any], names: frozenset[str], depth: int) -> Iterator[_Candidate]:
    try:
        for descriptor in index["manifests"]:
            notes = descriptor.get("annotations") or {}
            path = _path(descriptor)
            if _ATTESTATION in notes or path not in saved:
                continue  # not an image; or one of another platform that wasn't saved along with this one
            known = names | {notes[key] for key in (_REFERENCE, "io.containerd.image.name") if key in notes}
            manifest = saved.document(path)
            if "manifests" in manifest and depth < _DEEPEST:
                yield from _of_index(saved, manifest, known, depth + 1)
            else:
                config = _path(manifest["config"])
                layers = tuple(_path(layer) for layer in manifest["layers"])
                yield _Candidate(known, _platform(saved.document(config)), config, layers)
    except (KeyError, TypeError, AttributeError) as error:
        raise _odd("an index or a manifest", error) from error


def _only_different(candidates: Iterator[_Candidate]) -> list[_Candidate]:
    """Each image once, with all of its names."""
    found: dict[str, _Candidate] = {}
    for each in candidates:
        names = each.names | found[each.config].names if each.config in found else each.names
        found[each.config] = _Candidate(names, each.platform, each.config, each.layers)
    return list(found.values())


def _matches(name: str, reference: str) -> bool:
    return reference in {name, name.rpartition("/")[2], name.rpartition(":")[2]}


def _path(descriptor: Mapping[str, Any]) -> str:
    return f"blobs/{descriptor['digest']}".replace(":", "/")


def _platform(config: Mapping[str, Any]) -> Platform:
    return Platform.from_json({"os": "linux", **config})


def _told(candidate: _Candidate) -> str:
    return f"{', '.join(sorted(candidate.names)) or 'without a name'}  {candidate.platform}"


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ImageError(f"{name} is not what it should be", evidence="it is no list")
    return value


def _odd(name: str, error: Exception) -> ImageError:
    return ImageError(f"{name} is not what it should be", evidence=f"{type(error).__name__}: {error}")
