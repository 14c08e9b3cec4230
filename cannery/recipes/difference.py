"""From the names of two images to what differs between them, for each platform that both are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.difference.images import ComparedImage, compare_images
from cannery.image.image import Image
from cannery.image.media.medium import Descriptor, is_index, parse_json
from cannery.image.media.pull import pull, read_blob
from cannery.image.media.walk import candidates
from cannery.image.platform import Platform
from cannery.recipes.any_image import opened_image
from cannery.recipes.sizes import layer_names
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.containers.engine.discovery import Choice
    from cannery.difference.images import ImageDifference
    from cannery.image.image import Base
    from cannery.image.media.medium import Medium
    from cannery.workspace.workspace import Workspace

__all__ = ["ImagesDifference", "compared", "difference_of", "difference_of_media", "platforms_of"]


@dataclass(frozen=True, slots=True)
class ImagesDifference:
    """What differs between two images that may be for several platforms."""

    names: tuple[str, str]
    digests: tuple[Digest, Digest]  # of what the names lead to: manifests, or indexes of several
    only: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())  # the platforms that one alone is for
    images: tuple[ImageDifference, ...] = ()  # for each platform that both are for

    @property
    def same(self) -> bool:
        """True where both are the same, to the byte."""
        return self.digests[0] == self.digests[1] or (
            bool(self.images) and not any(self.only) and all(each.same for each in self.images)
        )

    @property
    def same_contents(self) -> bool:
        """True where a container can't tell one from the other."""
        return self.same or (not any(self.only) and all(each.same or each.same_contents for each in self.images))


def difference_of(
    before: str, after: str, engine: Choice, platform: Platform | None, workspace: Workspace
) -> ImagesDifference:
    """What differs between the images of two names, for ``platform`` or for each that both are for.

    Raises as :func:`cannery.recipes.any_image.opened_image` does, and :class:`ImageError` for what can't be read.
    """
    with opened_image(before, engine, workspace) as one, opened_image(after, engine, workspace) as other:
        return difference_of_media(one, other, platform, workspace)


def difference_of_media(
    before: Medium, after: Medium, platform: Platform | None, workspace: Workspace
) -> ImagesDifference:
    """What differs between the images that two media are opened at."""
    names = before.name, after.name
    roots = before.root(), after.root()
    digests = Digest.of(roots[0]), Digest.of(roots[1])
    if digests[0] == digests[1]:
        return ImagesDifference(names, digests)
    old, new = platforms_of(roots[0], before), platforms_of(roots[1], after)
    if platform is not None:
        old = new = {str(platform): platform}
    only = tuple(name for name in old if name not in new), tuple(name for name in new if name not in old)
    images = []
    for name in (name for name in new if name in old):
        pulled = (pull(each, new[name], workspace.cache, workspace.progress) for each in (before, after))
        workspace.progress(f"comparing {names[0]} with {names[1]}")
        images.append(compare_images(name, compared(next(pulled)), compared(next(pulled))))
    return ImagesDifference(names, digests, only, tuple(images))


def compared(image: Base | Image) -> ComparedImage:
    """An image as it's compared; those that were pulled are known by their manifest's digest as it was stored."""
    names = layer_names(image.config, len(image.layers))
    manifest = image.digest if isinstance(image, Image) else image.manifest
    return ComparedImage(manifest, image.config, tuple(zip(names, image.layers, strict=True)))


def platforms_of(root: bytes, medium: Medium) -> dict[str, Platform]:
    """The platforms that the image of ``medium``, whose first document is ``root``, is for."""
    document = parse_json(root, f"the manifest of {medium.name}")

    def read(descriptor: Descriptor) -> Mapping[str, object]:
        return parse_json(read_blob(medium, descriptor), f"a document of {medium.name}")

    if is_index(document):
        found = [each.platform for each in candidates(document, read, f"the index of {medium.name}")]
    else:
        found = [Platform.from_json(read(Descriptor.parse(document.get("config"))))]
    return {str(each): each for each in found}
