"""The example API by every recipe, side by side: its size, the time to its first answer, its memory when idle."""

from __future__ import annotations

import json
import shutil
import statistics
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from benchmarks.answering import first_answer
from benchmarks.bench import install
from benchmarks.builds import after_change
from benchmarks.docker import loaded
from benchmarks.figures import Figure
from benchmarks.projects import REPOSITORY
from benchmarks.timing import interleaved
from cannery import __version__
from cannery.containers.sandbox.container import container_in
from cannery.containers.sandbox.rootfs import rootfs
from cannery.project.config import load
from cannery.recipes.build import build
from cannery.workspace.cache import Cache
from cannery.workspace.workspace import Workspace
from tests.support.stand_in_images import SLIM, layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench
    from benchmarks.timing import Command, Costs

__all__ = ["recipes"]

_CONTAIN = Path(__file__).with_name("contain.py")
# onefile executes what it unpacks to /tmp, which Docker mounts noexec by default.
_HARDENED = ("--rm", "--network=host", "--read-only", "--tmpfs=/tmp:exec", "--cap-drop=ALL")
_PYTHON = "ordinary Python"
_ROUNDS = 9


@dataclass(frozen=True)
class _Variant:
    """A way to build the example."""

    settings: str
    megabytes: float | None = None  # the most that its image may have
    alone: bool = False  # the image's program runs outside of it, too


_VARIANTS = {
    "scratch": _Variant('recipe = "scratch"'),
    "slim": _Variant('recipe = "slim"\nbase = "oci:{base}"'),
    "tiny": _Variant('recipe = "tiny"', 18),
    "tiny, no ssl, compress": _Variant(
        'recipe = "tiny"\ncompress = true\n[tool.cannery.tiny]\nwithout = ["ssl"]', 12.4
    ),
    "onefile": _Variant('recipe = "onefile"', 8.01, alone=True),
    "static": _Variant('recipe = "static"', 4.5, alone=True),
    "static, no ssl": _Variant('recipe = "static"\n[tool.cannery.static]\nwithout = ["ssl"]', 2.5, alone=True),
    "static, not packed": _Variant('recipe = "static"\n[tool.cannery.static]\npacking = "none"', alone=True),
}


def recipes(bench: Bench) -> Iterator[Figure]:
    """Sizes on disk, the time to the first answer on the bare machine and in Docker, memory of the idle service."""
    bench = replace(bench, venv=install(bench.folder / "for-recipes", f"{REPOSITORY}[onefile,static]"))
    base = layout(SLIM, Path(platformdirs.user_cache_dir("cannery-standins")))
    projects = {name: _project(bench, name, variant.settings, base) for name, variant in _VARIANTS.items()}
    for name, project in projects.items():
        bench.say(f"building {name}")
        size = bench.image(project, "--engine", "none")["size"]
        yield Figure(f"random_api, {name}: image on disk", size / 1e6, "MB", _VARIANTS[name].megabytes, f"{size:,} B")
    python = install(bench.folder / "ordinary", str(REPOSITORY / "examples/random_api"))
    commands = {name: _bare(bench, name, project) for name, project in projects.items()}
    commands[_PYTHON] = first_answer(bench, str(python / "bin" / "random-api"))
    bare = interleaved(min(bench.rounds, _ROUNDS), **commands)
    yield from _answers("bare", bare)
    yield from _memory(bare)
    yield from _answers("in Docker", _in_docker(bench, projects))
    project = projects["static"]
    relink = after_change(bench.invoke(project, "image", "--engine", "none"), project, "random_api/api.py")
    linked = interleaved(bench.several(), link=relink)["link"]
    yield Figure("random_api, static: link after one line", linked.seconds, "s", 5, str(linked))


def _project(bench: Bench, name: str, settings: str, base: Path) -> Path:
    project = bench.folder / "recipes" / name.replace(" ", "-").replace(",", "")
    shutil.copytree(REPOSITORY / "examples" / "random_api", project)
    with (project / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(f"\n{settings.replace('{base}', str(base))}\n")
    return project


def _bare(bench: Bench, name: str, project: Path) -> Command:
    """The image's program on this machine: by itself where it can run so, or else in the embedded runner."""
    workspace = Workspace(Cache(bench.cache / __version__))
    image = build(load(project, {}), workspace).image
    root = rootfs(image, workspace.cache)
    if _VARIANTS[name].alone:
        return first_answer(bench, f"{root}{container_in(root, image.config, []).argv[0]}")
    config = project / "config.json"
    config.write_text(json.dumps(dict(image.config)), encoding="utf-8")
    return first_answer(bench, str(bench.venv / "bin" / "python"), str(_CONTAIN), str(root), str(config))


def _in_docker(bench: Bench, projects: Mapping[str, Path]) -> dict[str, Costs]:
    with ExitStack() as stack:
        commands: dict[str, Command] = {}
        for name, project in projects.items():
            tag = f"cannery-benchmark-{project.name}"
            image = stack.enter_context(loaded(bench, project, tag))
            if image is None:
                return {}
            commands[name] = first_answer(bench, "docker", "run", *_HARDENED, image)
        return interleaved(min(bench.rounds, _ROUNDS), **commands)


def _answers(where: str, costs: Mapping[str, Costs]) -> Iterator[Figure]:
    for name, cost in costs.items():
        yield Figure(f"random_api, {name}: first answer, {where}", cost.seconds, "s", None, str(cost))
    if "static" in costs:
        ratio = costs["static"].ratio(costs["onefile"])
        yield Figure(f"random_api, first answer, {where}: static against onefile", ratio, "×", 1 / 3)
    if _PYTHON in costs:
        for name in ("static", "static, no ssl", "static, not packed"):
            ratio = costs[name].ratio(costs[_PYTHON])
            yield Figure(f"random_api, first answer, {where}: {name} against {_PYTHON}", ratio, "×", 1)


def _memory(costs: Mapping[str, Costs]) -> Iterator[Figure]:
    """The memory of all processes together (PSS), once the service has answered."""
    idle = {
        name: statistics.median(int(cost.output.split()[0]) for cost in each.rounds) for name, each in costs.items()
    }
    for name, size in idle.items():
        if name == _PYTHON or _VARIANTS[name].alone:
            yield Figure(f"random_api, {name}: idle memory", size / 1e6, "MB", None, "PSS, two workers")
    yield Figure(f"random_api, idle memory: static against {_PYTHON}", idle["static"] / idle[_PYTHON], "×", 1)
