"""The size of the sample's image on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.docker import loaded
from benchmarks.figures import Figure
from benchmarks.projects import sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.bench import Bench

__all__ = ["size"]

_SLIM = 334.0  # MB: a multi-stage image on python:slim with the same wheels, as "docker images" shows it


def size(bench: Bench) -> Iterator[Figure]:
    """The bytes of all files of the image, unpacked, with and without ``--strip``."""
    project = sample(bench.folder / "size")
    plain, stripped = bench.image(project), bench.image(project, "--strip", "--output", "dist/stripped.tar")
    detail = _sizes(plain) + _docker_size(bench, project)
    ratio = plain["size"] / 1e6 / _SLIM
    yield Figure(f"image on disk: against python:slim's {_SLIM:.0f} MB", ratio, "×", 0.65, detail)
    yield Figure("image on disk: with --strip", stripped["size"] / 1e6, "MB", 180, _sizes(stripped))


def _docker_size(bench: Bench, project: Path) -> str:
    """The size by Docker's account, where an engine answers."""
    with loaded(bench, project) as name:
        if name is None:
            return ""
        answer = bench.command(project, "docker", "image", "inspect", "--format={{.Size}}", name).run().output
        return f"; in Docker {int(answer) / 1e6:.1f} MB"


def _sizes(answer: dict[str, Any]) -> str:
    layers = ", ".join(f"{layer['name']} {layer['size'] / 1e6:.1f}" for layer in answer["layers"])
    return f"{answer['size'] / 1e6:.1f} MB ({layers}); compressed {answer['compressed_size'] / 1e6:.1f} MB"
