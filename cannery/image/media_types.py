"""The media types of documents and layers of images (OCI image-spec v1.1, media-types.md), and Docker's for the same.

Images that are made here have only the specification's; images that are read may have either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.decompression import Compression

__all__ = [
    "COMPRESSIONS",
    "CONFIG",
    "CONFIGS",
    "EMPTY",
    "GZIP_LAYER",
    "INDEX",
    "INDEXES",
    "LAYER",
    "LAYERS",
    "MANIFEST",
    "MANIFESTS",
    "ZSTD_LAYER",
]

INDEX: Final = "application/vnd.oci.image.index.v1+json"
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
EMPTY: Final = "application/vnd.oci.empty.v1+json"  # the configuration of what is no image: {}
LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
GZIP_LAYER: Final = f"{LAYER}+gzip"
ZSTD_LAYER: Final = f"{LAYER}+zstd"

# Docker's: distribution, docs/spec/manifest-v2-2.md.
INDEXES: Final = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS: Final = (MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
CONFIGS: Final = (CONFIG, "application/vnd.docker.container.image.v1+json")

LAYERS: Final[Mapping[str, str]] = {  # media type of a layer that can be unpacked -> the specification's
    **{each: each for each in (LAYER, GZIP_LAYER, ZSTD_LAYER)},
    "application/vnd.docker.image.rootfs.diff.tar": LAYER,
    "application/vnd.docker.image.rootfs.diff.tar.gzip": GZIP_LAYER,
    "application/vnd.docker.image.rootfs.diff.tar.zstd": ZSTD_LAYER,
}

COMPRESSIONS: Final[Mapping[str, Compression]] = {  # the specification's media type of a layer -> its compression
    LAYER: "",
    GZIP_LAYER: "gzip",
    ZSTD_LAYER: "zstd",
}
