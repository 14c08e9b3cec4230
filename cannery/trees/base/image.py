"""The base of an image: fetched once, unpacked once, remembered by its digest."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import structs

from cannery.errors import ConfigurationError
from cannery.image.image import Base
from cannery.image.layer import Layer, gzipped
from cannery.image.media.pull import pull
from cannery.image.platform import Platform, machine_platform
from cannery.image.rootfs import Root
from cannery.image.tree import Directory
from cannery.project.app import LOCK_FILE
from cannery.trees.base.sources import digest_now, opened, reference_of, state_of
from cannery.workspace.digest import Digest
from cannery.workspace.files import explained
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.unaltered import unaltered_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["BaseImage", "base_image"]


@dataclass(frozen=True)
class BaseImage:
    """A base, and the folder that its layers are unpacked in."""

    base: Base
    folder: Path  # in the cache

    @property
    def root(self) -> Root:
        """The base's files."""
        return Root(self.folder / "root")

    @cached_property
    def folders(self) -> Mapping[str, Directory]:
        """The base's folders, with the modes and owners that its layers give them."""
        table = json.loads((self.folder / "folders.json").read_bytes())
        return {path: Directory(*entry) for path, entry in table.items()}


def base_image(app: App, workspace: Workspace, *, packed: bool = False) -> BaseImage:
    """The base that the settings of ``app`` name, for their platform; its files are compared where they're ``packed``.

    A tag is looked up in its registry once, and then only where ``workspace.refresh`` asks for that. Raises
    :class:`ConfigurationError` where no base is named, :class:`ImageError` where it can't be read.
    """
    text = app.settings.base
    if text is None:
        raise ConfigurationError(
            f"the recipe {app.settings.recipe!r} needs a base",
            step='name one:  [tool.cannery]  base = "python:3.11-slim"  (or --base)',
        )
    wanted = Platform.parse(app.settings.one_platform) if app.settings.one_platform else machine_platform()
    source = _locked(text, app)
    key = key_of("base", code_key(__name__), source, str(wanted), state_of(source, app))
    pulled = _remembered(key, source, workspace)
    if pulled is None:
        with workspace.cache.lock(f"base-{key}", lambda: workspace.progress("waiting for another build")):
            pulled = _remembered(key, source, structs.replace(workspace, refresh=False))
            if pulled is None or workspace.refresh:
                with opened(source, app, workspace) as medium:
                    pulled = _compressed(pull(medium, wanted, workspace.cache, workspace.progress), workspace)
                workspace.cache.remember("bases", key, _record(pulled))
    return _unpacked(text, pulled, workspace, packed=packed)


def _compressed(pulled: Base, workspace: Workspace) -> Base:
    """The base with all layers compressed, as those are that come on top of it.

    Engines save them as they have them unpacked, and some who read archives (go-containerregistry) take all layers to
    be what the first one is.
    """
    layers = (gzipped(layer, workspace.cache, workspace.progress) for layer in pulled.layers)
    return replace(pulled, layers=tuple(layers))


def _locked(text: str, app: App) -> str:
    """The name of the base with the digest that the project's lock has for it.

    Raises :class:`ConfigurationError` where there is a lock, and it has none for a base in a registry.
    """
    if reference_of(text) is None or not (app.folder / LOCK_FILE).is_file():
        return text
    from cannery.project.build_lock import read_lock  # noqa: PLC0415  # many projects have none

    lock = read_lock(app.folder)
    digest = lock.digest_of(text) if lock else None
    if digest is None:
        raise ConfigurationError(f"{LOCK_FILE} is out of date", evidence=f"it has no {text}", step="cannery lock")
    return text if "@" in text else f"{text}@{digest}"


def _remembered(key: str, text: str, workspace: Workspace) -> Base | None:
    """The base as it was pulled before; None where a layer is gone, or with ``refresh`` the registry has another."""
    record = workspace.cache.recall("bases", key)
    if record is None:
        return None
    layers = tuple(Layer.from_json(each, workspace.cache) for each in record["layers"])
    if not all(layer.is_present() for layer in layers):
        return None
    if workspace.refresh and digest_now(text, workspace) not in {None, f"sha256:{record['digest']}"}:
        return None
    digest, manifest = Digest(record["digest"]), Digest(record["manifest"])
    return Base(text, digest, manifest, layers, record["config"], Platform.from_json(record["platform"]))


def _record(pulled: Base) -> dict[str, Any]:
    return {
        "digest": pulled.digest.hex,
        "manifest": pulled.manifest.hex,
        "layers": [layer.as_json() for layer in pulled.layers],
        "config": dict(pulled.config),
        "platform": pulled.platform.as_json(),
    }


def _unpacked(text: str, pulled: Base, workspace: Workspace, *, packed: bool) -> BaseImage:
    def fill(folder: Path) -> None:
        from cannery.image.extraction import unpack  # noqa: PLC0415  # slow to import, and needed once per base

        workspace.progress(f"unpacking the base {text}")
        (folder / "root").mkdir()
        found = unpack(pulled.layers, folder / "root")
        (folder / "folders.json").write_text(json.dumps(dict(found.folders)), encoding="utf-8")
        (folder / "layers.json").write_text(json.dumps(found.layers), encoding="utf-8")

    key = key_of("base root", code_key(__name__), pulled.manifest.hex)
    folder = unaltered_folder(workspace.cache, "base-roots", key, fill, compared=packed)
    with explained(folder, "read"):
        counts = json.loads((folder / "layers.json").read_bytes())
    layers = tuple(
        replace(layer, files=files, unpacked_size=size)
        for layer, (files, size) in zip(pulled.layers, counts, strict=True)
    )
    return BaseImage(replace(pulled, name=text, reference=reference_of(text), layers=layers), folder)
