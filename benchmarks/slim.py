"""The recipe ``slim`` against a multi-stage Dockerfile on the same base: the time after a change, and the size."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from benchmarks.bench import install
from benchmarks.builds import after_change
from benchmarks.figures import Figure
from benchmarks.projects import REPOSITORY, sample
from benchmarks.timing import CommandError, interleaved
from tests.support.stand_in_images import SLIM, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench
    from benchmarks.timing import Command

__all__ = ["slim"]

_NAME = "cannery-benchmark-base:1"
# By good practice: dependencies before sources, no bytecode, no cache of pip, no root.
_DOCKERFILE = f"""
FROM {_NAME} AS build
COPY requirements.txt .
RUN pip install --no-cache-dir --no-compile --no-deps --target=/packages --requirement=requirements.txt
FROM {_NAME}
COPY --from=build /packages /usr/local/lib/python3.11/site-packages
WORKDIR /app
COPY main.py .
COPY my_project my_project
USER 65535:65535
ENTRYPOINT ["python3.11", "/app/main.py"]
"""


def slim(bench: Bench) -> Iterator[Figure]:
    """A build after one changed line, into an archive and into Docker, against a ``docker build`` of the change."""
    base = layout(SLIM, Path(platformdirs.user_cache_dir("cannery-standins")))
    project = sample(bench.folder / "slim")
    flags = ("--recipe", "slim", "--base", f"oci:{base}")
    image = bench.image(project, *flags, "--engine", "none")
    commands = {"archive": bench.invoke(project, "image", *flags, "--engine", "none")}
    by_docker = _prepared(bench, base, project)
    if by_docker is not None:
        bench = replace(bench, venv=install(bench.folder / "for-docker", f"{REPOSITORY}[docker]"))
        commands |= {"engine": bench.invoke(project, "image", *flags, "--engine", "docker"), "docker": by_docker}
    costs = interleaved(bench.rounds, **{name: after_change(each, project) for name, each in commands.items()})
    yield Figure("slim, one line changed", costs["archive"].seconds, "s", 1, str(costs["archive"]))
    if "docker" in costs:
        told = f"docker build: {costs['docker']}"
        yield Figure(
            "slim, one line changed: against docker build",
            costs["archive"].ratio(costs["docker"]), "×", 0.5, f"{costs['archive']}; {told}",
        )  # fmt: skip
        yield Figure(
            "slim, the same, loaded into Docker: against docker build",
            costs["engine"].ratio(costs["docker"]), "×", None, f"{costs['engine']}; {told}",
        )  # fmt: skip
        yield _size(bench, project, image["size"])


def _size(bench: Bench, project: Path, size: int) -> Figure:
    """The bytes of all files of both images, as the engine counts those of its own."""
    answer = bench.command(project, "docker", "image", "inspect", "cannery-benchmark:by-hand").run().output
    by_hand = json.loads(answer)[0]["Size"]
    detail = f"{size / 1e6:.1f} MB; the Dockerfile's {by_hand / 1e6:.1f} MB"
    return Figure("slim, image on disk: against the Dockerfile's", size / by_hand, "×", 1, detail)


def _prepared(bench: Bench, base: Path, project: Path) -> Command | None:
    """``docker build`` with the base in the engine and everything built once; None where no engine answers."""
    archive = bench.folder / "base.tar"
    try:
        bench.command(project, "docker", "version").run()
    except CommandError:
        return None
    bench.command(project, "skopeo", "copy", f"oci:{base}:{SLIM}", f"docker-archive:{archive}:{_NAME}").run()
    bench.command(project, "docker", "load", "--input", str(archive)).run()
    archive.unlink()
    (project / "Dockerfile").write_text(_DOCKERFILE, encoding="utf-8")
    arguments = ("build", "--quiet", "--network=host", "--tag=cannery-benchmark:by-hand", ".")
    programs = [Path(folder, "docker") for folder in os.get_exec_path() if os.access(Path(folder, "docker"), os.X_OK)]
    for program in programs:  # newer ones have BuildKit only with buildx
        build = bench.command(project, str(program), *arguments, DOCKER_BUILDKIT="1")
        with suppress(CommandError):
            build.run()
            return build
    raise CommandError(f"no docker command with BuildKit among {', '.join(map(str, programs))}")
