"""The time that ``say-hello`` takes: in an ordinary virtual environment, and from the image."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench import install
from benchmarks.docker import loaded
from benchmarks.figures import Figure
from benchmarks.projects import sample
from benchmarks.timing import Command, interleaved
from cannery import __version__
from cannery.containers.sandbox.container import container_in
from cannery.containers.sandbox.rootfs import rootfs
from cannery.project.config import load
from cannery.recipes.build import build
from cannery.workspace.cache import Cache
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench

__all__ = ["start"]

_CONTAIN = Path(__file__).with_name("contain.py")
_HELLO = "say-hello"
_REACH = 1.1
_AGAINST_HOST = {
    "alone": "the program alone, by chroot",
    "contained": "in a container of the embedded runner",
    "runner": "the same, with the runner's own process",
}
_WITH_MORE = {"task": "invoke run", "docker": "docker run"}


def start(bench: Bench) -> Iterator[Figure]:
    """The program alone in its root filesystem, in a container, and with the runner's process, against the host."""
    project = sample(bench.folder / "start")
    workspace = Workspace(Cache(bench.cache / __version__))
    image = build(load(project, {}), workspace).image
    root = rootfs(image, workspace.cache)
    runner = _runner(bench, root, image.config)
    commands = {
        "host": _on_host(bench, project),
        "alone": _alone(bench, root, image.config),
        "contained": replace(runner, says_seconds=True),
        "runner": runner,
        "task": bench.invoke(project, "run", "--", _HELLO),
    }
    with loaded(bench, project) as name:
        if name:
            commands["docker"] = bench.command(project, "docker", "run", "--rm", "--network=none", name, _HELLO)
        costs = interleaved(bench.rounds, **commands)
    host = costs["host"]
    for key, what in _AGAINST_HOST.items():
        yield Figure(f"start: {what}", costs[key].ratio(host), "×", _REACH, f"{costs[key]}; on the host: {host}")
    for key in ("task", "docker"):
        if key in costs:
            yield Figure(f"start: {_WITH_MORE[key]}", costs[key].seconds, "s", None, str(costs[key]))


def _on_host(bench: Bench, project: Path) -> Command:
    venv = install(bench.folder / "host", "--requirements", str(project / "requirements.txt"))
    return bench.command(project, str(venv / "bin" / "python"), "main.py", _HELLO)


def _alone(bench: Bench, root: Path, config: Mapping[str, Any]) -> Command:
    """The container's program, environment and user over the same files, with no namespaces."""
    container = container_in(root, config, [_HELLO])
    user = f"--userspec={container.uid}:{container.gid}"
    chroot = shutil.which("chroot", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "chroot"
    enter = [chroot, user] if os.geteuid() == 0 else ["/usr/bin/unshare", "--map-root-user", chroot]
    return replace(bench.command(root, *enter, str(root), *container.argv), env=container.env)


def _runner(bench: Bench, root: Path, config: Mapping[str, Any]) -> Command:
    file = bench.folder / "config.json"
    file.write_text(json.dumps(dict(config)), encoding="utf-8")
    return bench.command(bench.folder, str(bench.venv / "bin" / "python"), str(_CONTAIN), str(root), str(file), _HELLO)
