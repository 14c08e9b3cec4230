"""The API among the examples as one executable: how large it is, what making it takes, and when it first answers."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from benchmarks.bench import install
from benchmarks.figures import Figure
from benchmarks.projects import REPOSITORY
from benchmarks.timing import CommandError, interleaved
from cannery import __version__
from cannery.build import build
from cannery.cache import Cache
from cannery.config import load
from cannery.engines.rootfs import rootfs
from cannery.workspace import Workspace
from tests.standins.images import SLIM, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench
    from benchmarks.timing import Command

__all__ = ["onefile"]

_FIRST_ANSWER = Path(__file__).with_name("first_answer.py")
_CONTAIN = Path(__file__).with_name("contain.py")
_RECIPES = ("onefile", "scratch", "slim")
_HARDENED = ("--rm", "--network=host", "--read-only", "--tmpfs=/tmp:exec", "--cap-drop=all")
_WITHOUT = (
    "ssl", "unicodedata", "_codecs_cn", "_codecs_hk", "_codecs_iso2022", "_codecs_jp", "_codecs_kr", "_codecs_tw",
    "_multibytecodec", "_decimal", "_pydecimal", "multiprocessing", "_multiprocessing", "_lzma", "_bz2", "ctypes",
    "_ctypes", "pyexpat", "_elementtree", "xmlrpc", "_blake2", "_sha3", "_uuid", "tarfile", "ftplib", "smtplib",
)  # fmt: skip
_VARIANTS = {
    "by default": ("", 8.01),
    "no docstrings": ("optimize = 2", None),
    "no docstrings, no ssl": ('optimize = 2\n[tool.cannery.onefile]\nwithout = ["ssl"]', None),
    "the smallest": (f"optimize = 2\n[tool.cannery.onefile]\nwithout = {json.dumps(_WITHOUT)}", 4.7),
    "not compressed": ('[tool.cannery.onefile]\npacking = "none"', None),
}


def onefile(bench: Bench) -> Iterator[Figure]:
    """Sizes with different settings, the first answer of some, and what a build takes."""
    base = layout(SLIM, Path(platformdirs.user_cache_dir("cannery-standins")))
    bench = replace(bench, venv=install(bench.folder / "for-onefile", f"{REPOSITORY}[onefile]", compiled=True))
    made: dict[str, dict[str, Any]] = {}
    for name, (settings, reach) in _VARIANTS.items():
        project = _project(bench, name, settings)
        made[name] = json.loads(bench.invoke(project, "freeze", "--json").run().output)
        yield Figure(f"onefile, {name}", made[name]["size"] / 1e6, "MB", reach)
    folder = json.loads(bench.invoke(_project(bench, "folder", ""), "freeze", "--form=folder", "--json").run().output)
    programs = {
        "xz": made["by default"]["path"],
        "smallest": made["the smallest"]["path"],
        "none": made["not compressed"]["path"],
        "folder": f"{folder['path']}/random-api",
    }
    commands = {name: _first_answer(bench, program) for name, program in programs.items()}
    with ExitStack() as stack:
        for recipe in _RECIPES:
            commands |= stack.enter_context(_image(bench, recipe, base))
        costs = interleaved(bench.rounds, **commands)
    for name, cost in costs.items():
        yield Figure(f"onefile, first answer: {name}", cost.seconds, "s", None, str(cost))
    again = bench.invoke(Path(made["by default"]["path"]).parents[1], "freeze", "--json")
    unchanged = interleaved(bench.several(), again=again)["again"]
    yield Figure("onefile, unchanged", unchanged.seconds, "s", 1, str(unchanged))


def _project(bench: Bench, name: str, settings: str) -> Path:
    """A copy of the example with more settings."""
    project = bench.folder / "onefile" / name.replace(" ", "-").replace(",", "")
    shutil.copytree(REPOSITORY / "examples" / "random_api", project)
    with (project / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(f"\n{settings}\n")
    return project


@contextmanager
def _image(bench: Bench, recipe: str, base: Path) -> Iterator[dict[str, Command]]:
    """The image of the example by ``recipe``: in the embedded runner, and in Docker where that answers."""
    project, settings = _project(bench, f"image {recipe}", ""), {"recipe": recipe}
    if recipe == "slim":
        settings["base"] = f"oci:{base}"
    flags = [f"--{name}={value}" for name, value in settings.items()]
    archive = bench.image(project, *flags, "--engine=none", f"--tag=cannery-benchmark-{recipe}")["archive"]
    workspace = Workspace(Cache(bench.cache / __version__))
    image = build(load(project, settings), workspace).image
    config = project / "config.json"
    config.write_text(json.dumps(dict(image.config)), encoding="utf-8")
    python = str(bench.venv / "bin" / "python")
    runner = _first_answer(bench, python, str(_CONTAIN), str(rootfs(image, workspace.cache)), str(config))
    commands = {f"{recipe} in the embedded runner": runner}
    try:
        name = bench.command(project, "docker", "load", "--quiet", "--input", archive).run().output.rpartition(" ")[2]
    except CommandError:
        yield commands
        return
    try:
        yield {**commands, f"{recipe} in Docker": _first_answer(bench, "docker", "run", *_HARDENED, name.strip())}
    finally:
        bench.command(project, "docker", "image", "rm", name.strip()).run()


def _first_answer(bench: Bench, *program: str) -> Command:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}/number"
    arguments = ("--host=127.0.0.1", f"--port={port}", "--workers=2")
    command = bench.command(bench.folder, sys.executable, str(_FIRST_ANSWER), url, *program, *arguments)
    return replace(command, says_seconds=True)
