"""The settings that commands take as flags, and the words that explain each.

They stand beside the schema of the settings and not in it: a command line reads them at every start, even if it only
lists its commands, and the schema takes a fourth of that time to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BUILD_FLAGS", "FLAGS", "Flag"]


class Flag(NamedTuple):
    """A setting as a flag."""

    help: str
    switch: bool = False  # has no value: it's given or not
    build: bool = True  # decides how an image is built; so commands that build one on their way take it, too
    values: tuple[str, ...] = ()  # that a shell completes: all there are, or the usual ones


# By the setting's name in Settings.
FLAGS: Final[Mapping[str, Flag]] = {
    "recipe": Flag(
        "scratch, tiny, static, onefile, slim or cython (default: the project's, or else scratch).",
        values=("scratch", "tiny", "static", "onefile", "slim", "cython"),
    ),
    "base": Flag("Base image of the recipe: a reference, oci:DIR, docker-archive:FILE or docker-daemon:NAME."),
    "runtime": Flag(
        "Where the image's Python comes from: machine, debian:trixie, ubuntu:noble, or an image.",
        values=("machine", "debian:trixie", "debian:bookworm", "ubuntu:noble"),
    ),
    "platform": Flag(
        "Platform of the image, or several: linux/amd64,linux/arm64 (default: this machine's).",
        values=("linux/amd64", "linux/arm64", "linux/amd64,linux/arm64"),
    ),
    "tag": Flag("Tag of the image (default: latest)."),
    "repository": Flag("Repository to push to: ghcr.io/team/app.", build=False),
    "cache_from": Flag("Repository to take layers from: ghcr.io/team/app; or none.", build=False),
    "attest": Flag(
        "Attach documents that say what is in the image and what it was built from.", switch=True, build=False
    ),
    "sign": Flag("Sign with this key: a file, env://NAME, or keyless.", build=False),
    "signer": Flag("A program that signs: it's given a descriptor, and writes an OCI layout.", build=False),
    "vex": Flag("Attach which vulnerabilities of this list it can't have; audit asks uv for the list.", build=False),
    "output": Flag("Where to write the archive (default: dist/NAME.tar).", build=False),
    "python": Flag("Python of the image: a version such as 3.12, or a path (default: the one that runs this)."),
    "strip": Flag("Strip symbols from the shared libraries of wheels, too.", switch=True),
    "compile": Flag("Compile the project's own modules by Cython: no source, no bytecode.", switch=True),
    "engine": Flag(
        "Which engine to use: auto, none, docker or podman (default: auto, the first that answers).",
        values=("auto", "none", "docker", "podman"),
    ),
    "builder": Flag(
        "Who builds: cannery, or docker, from the recipe's Dockerfile (default: cannery).",
        build=False,
        values=("cannery", "docker"),
    ),
}
BUILD_FLAGS: Final = tuple(name for name, flag in FLAGS.items() if flag.build)
