"""A recipe as a contender: the image that it makes of the app, what lies in it, and how it's started."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.audit.audit import audit
from cannery.comparison.launch import ContainerLaunch
from cannery.comparison.measurement import LayerSize, Stored
from cannery.containers.needs import limits_for
from cannery.containers.sandbox.rootfs import rootfs
from cannery.image.media.archive import Archive
from cannery.recipes.build import build
from cannery.recipes.sizes import sizes_of_built

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.comparison.launch import Launch
    from cannery.image.image import Image
    from cannery.project.app import App
    from cannery.recipes.plan import Built
    from cannery.sizes.parts import ImageSizes
    from cannery.workspace.workspace import Workspace

__all__ = ["OwnImage", "findings_of", "own_image", "stored_as"]

_ONE_FILE: Final = ("onefile", "static")  # recipes whose distributions lie inside of one file


@dataclass(frozen=True, slots=True)
class OwnImage:
    """An image of the project by one recipe."""

    built: Built
    sizes: ImageSizes
    stored: Stored
    findings: Mapping[str, int]
    launch: Launch


def own_image(app: App, workspace: Workspace) -> OwnImage:
    """The image of ``app`` by the recipe of its settings, built where something has changed."""
    built = build(app, workspace)
    sizes = sizes_of_built(built, workspace)
    distributions = sum(bool(owner.version) for owner in sizes.owners)
    stored = stored_as(built.image, None if app.settings.recipe in _ONE_FILE else distributions, sizes)
    image = built.image
    launch = ContainerLaunch(rootfs(image, workspace.cache), image.config, limits_for(image, built.app.settings.limits))
    return OwnImage(built, sizes, stored, findings_of(image, built.app, workspace), launch)


def stored_as(image: Image, distributions: int | None, sizes: ImageSizes) -> Stored:
    """What ``image`` takes, its layers by the names that ``sizes`` has for them."""
    named = zip(sizes.layers, image.layers, strict=True)
    layers = tuple(LayerSize(name, layer.unpacked_size, layer.size) for name, layer in named)
    return Stored(layers, sum(layer.files for layer in image.layers), distributions)


def findings_of(image: Image, app: App, workspace: Workspace) -> Mapping[str, int]:
    """How many findings of each severity ``invoke audit`` has on ``image``."""
    with workspace.cache.scratch() as scratch:
        archive = scratch / "image.tar"
        Archive(archive).write(image, app.references, progress=workspace.progress)
        report = audit(
            str(archive), app.settings, distribution=app.distribution, fail_on="never", progress=workspace.progress
        )
    return Counter(str(finding.rule.severity) for finding in report.findings)
