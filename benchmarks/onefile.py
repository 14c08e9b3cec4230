"""The API among the examples as one executable: its size, the time of a build, and the time to its first answer."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.answering import first_answer
from benchmarks.bench import install
from benchmarks.figures import Figure
from benchmarks.projects import REPOSITORY
from benchmarks.timing import interleaved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

__all__ = ["onefile"]

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
    """Sizes with different settings, the first answer of some, and the time of a build with nothing changed."""
    bench = replace(bench, venv=install(bench.folder / "for-onefile", f"{REPOSITORY}[onefile]"))
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
    costs = interleaved(bench.rounds, **{name: first_answer(bench, program) for name, program in programs.items()})
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
