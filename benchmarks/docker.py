"""The image in Docker, where an engine answers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.timing import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.bench import Bench

__all__ = ["loaded"]


@contextmanager
def loaded(bench: Bench, project: Path, tag: str = "cannery-benchmark") -> Iterator[str | None]:
    """The name of the image of ``project`` in Docker, for as long as the block lasts; None where no Docker answers."""
    archive = bench.image(project, "--tag", tag, "--output", "dist/docker.tar")["archive"]
    try:
        answer = bench.command(project, "docker", "load", "--quiet", "--input", archive).run().output
    except CommandError:
        yield None
        return
    name = answer.strip().rpartition(" ")[2]
    try:
        yield name
    finally:
        bench.command(project, "docker", "image", "rm", name).run()
