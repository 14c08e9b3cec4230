"""The app compiled by Cython: how long that takes, how large modules get, and how fast they run."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.bench import install
from benchmarks.figures import Figure
from benchmarks.projects import REPOSITORY
from benchmarks.timing import Costs, interleaved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.bench import Bench
    from benchmarks.timing import Command

__all__ = ["compiled"]

_MODULES = 50
_MODULE = '''\
"""Orders, and what they come to: a module of a usual size."""

import json
from collections import defaultdict
from dataclasses import dataclass, field

RATE = {number} / 1000


@dataclass
class Order:
    """What somebody wants."""

    name: str
    lines: list[tuple[str, int, float]] = field(default_factory=list)

    @property
    def total(self) -> float:
        return round(sum(count * price for _, count, price in self.lines) * (1 + RATE), 2)

    def add(self, what: str, count: int = 1, *, price: float = 0.0) -> "Order":
        if count < 1:
            raise ValueError(f"{{count}} of {{what!r}} can't be ordered")
        self.lines.append((what, count, price))
        return self


def read(text: str) -> list[Order]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"no orders: {{error}}") from error
    return [Order(each["name"], [tuple(line) for line in each.get("lines", ())]) for each in found]


def by_name(orders: list[Order]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for order in orders:
        sums[order.name] += order.total
    return dict(sorted(sums.items(), key=lambda item: -item[1]))
'''

# What each prints is the time of its main part, in seconds.
_KINDS = {
    "numbers in loops": """
def work():
    total = 0
    for number in range(3_000_000):
        total += number * number % 7
    return total
""",
    "objects, texts and dictionaries": """
class Word:
    def __init__(self, text):
        self.text = text
    def key(self):
        return self.text[:2].lower()
def work():
    counts = {}
    for number in range(400_000):
        word = Word(f"Word{number % 977}")
        counts[word.key()] = counts.get(word.key(), 0) + len(word.text)
    return counts
""",
    "calls of the standard library": """
import json, re
def work():
    found = 0
    for number in range(40_000):
        text = json.dumps({"id": number, "names": ["a", "b"]})
        found += len(re.findall(r"\\\\d+", text)) + json.loads(text)["id"]
    return found
""",
}
_MAIN = "import time\nfrom kind import work\nbegan = time.perf_counter()\nwork()\nprint(time.perf_counter() - began)\n"
_ALONE = """
set -e
include=$($1 -c 'import sysconfig; print(sysconfig.get_path("include"))')
$1 -m cython -3 many/module_07.py -o alone.c
cc -shared -fPIC -Os -w -I$include alone.c -o alone.so
"""
_SETUP = """
from Cython.Build import cythonize
from setuptools import setup
modules = cythonize(["many/*.py"], nthreads=2, compiler_directives={"language_level": 3, "annotation_typing": False})
setup(name="many", packages=[], ext_modules=modules)
"""


def compiled(bench: Bench) -> Iterator[Figure]:
    """Times, sizes and speeds of compiled code."""
    venv = install(bench.folder / "with-cython", f"{REPOSITORY}[cython]", "setuptools")
    bench = replace(bench, venv=venv)
    yield from _one_changed(bench)
    yield from _cold(bench)
    yield from _sizes(bench)
    yield _digest(bench)
    yield from _speeds(bench)


def _one_changed(bench: Bench) -> Iterator[Figure]:
    project = _many(bench.folder / "one-changed")
    bench.invoke(project, "cythonize").run()
    before = _extensions(bench)
    _change(project)
    bench.invoke(project, "cythonize").run()
    recompiled = len(_extensions(bench) - before)
    (project / "alone.sh").write_text(_ALONE, encoding="utf-8")
    costs = interleaved(
        bench.several(),
        changed=replace(bench.invoke(project, "cythonize"), before=lambda: _change(project)),
        alone=bench.command(project, "sh", "alone.sh", str(bench.venv / "bin" / "python")),
        unchanged=bench.invoke(project, "cythonize"),
    )
    more = statistics.median(
        one.seconds - other.seconds for one, other in zip(costs["changed"].rounds, costs["alone"].rounds, strict=True)
    )
    detail = (
        f"{costs['changed']}, less what cython and cc take for the module by themselves, {costs['alone']}; "
        f"nothing changed: {costs['unchanged']}"
    )
    yield Figure(f"compiled: one of {_MODULES} modules changed", more, "s", 3, detail)
    yield Figure("compiled: modules compiled for that", recompiled, "modules", 1, "new files in the cache")


def _cold(bench: Bench) -> Iterator[Figure]:
    project, cache = _many(bench.folder / "many"), bench.folder / "cache-compiled"
    own = _many(bench.folder / "by-setup")
    (own / "setup.py").write_text(_SETUP, encoding="utf-8")
    python = str(bench.venv / "bin" / "python")

    def fresh(command: Command) -> Command:
        return replace(command, before=lambda: shutil.rmtree(cache, ignore_errors=True))

    cores = sorted(os.sched_getaffinity(0))
    build = bench.invoke(project, "cythonize", CANNERY_CACHE=str(cache))
    alone = ("taskset", "--cpu-list", str(cores[0]))
    pair = ("taskset", "--cpu-list", ",".join(map(str, cores[:2])))
    build_ext = bench.command(own, *pair, python, "setup.py", "--quiet", "build_ext", "--inplace", "--parallel=2")
    commands = {
        "two": fresh(replace(build, argv=(*pair, *build.argv))),
        "one": fresh(replace(build, argv=(*alone, *build.argv))),
        "build_ext": replace(build_ext, before=lambda: _clean(own)),
    }
    costs = {name: Costs((command.run(),)) for name, command in commands.items()}  # each takes a minute: once
    faster = costs["one"].ratio(costs["two"])
    detail = f"{faster:.2f} × as fast; two: {costs['two']}; one: {costs['one']}"
    yield Figure(f"compiled: {_MODULES} modules cold, 2 cores against 1", 1 / faster, "×", 1 / 1.8, detail)
    detail = f"setup.py build_ext -j2 with cythonize(nthreads=2): {costs['build_ext']}"
    yield Figure("compiled: the same against setup.py", costs["two"].ratio(costs["build_ext"]), "×", 1, detail)


def _sizes(bench: Bench) -> Iterator[Figure]:
    project = _many(bench.folder / "sizes")
    bench.invoke(project, "cythonize").run()
    sizes = [path.stat().st_size / 1000 for path in project.glob("build/many/module_*.so")]
    detail = f"{_MODULE.count(chr(10))} lines of source; median {statistics.median(sizes):.1f} kB"
    yield Figure("compiled: a small module", max(sizes), "kB", 75, detail)


def _digest(bench: Bench) -> Figure:
    digests: set[str] = set()
    for name in ("here", "somewhere/else"):
        project = _many(bench.folder / "compiled" / name, 3)
        cache = bench.folder / "compiled" / f"cache-{len(digests)}"
        digests.add(bench.image(project, "--compile", CANNERY_CACHE=str(cache))["digest"])
    return Figure("compiled: same digest, 2 builds", len(digests), "digest", 1, "other folder, other cache")


def _speeds(bench: Bench) -> Iterator[Figure]:
    python = str(bench.venv / "bin" / "python")
    for kind, source in _KINDS.items():
        project = bench.folder / kind.replace(" ", "-").replace(",", "")
        project.mkdir()
        (project / "kind.py").write_text(source, encoding="utf-8")
        (project / "main.py").write_text(_MAIN, encoding="utf-8")
        (project / "tasks.py").write_text("from cannery.tasks import namespace\n", encoding="utf-8")
        bench.invoke(project, "cythonize").run()
        costs = interleaved(
            max(3, bench.several()),
            bytecode=replace(bench.command(project, python, "main.py"), says_seconds=True),
            compiled=replace(bench.command(project, python, "build/main.pyc"), says_seconds=True),
        )
        detail = f"compiled {costs['compiled']}; bytecode {costs['bytecode']}"
        yield Figure(f"compiled: time of {kind}", costs["compiled"].ratio(costs["bytecode"]), "×", None, detail)


def _many(folder: Path, count: int = _MODULES) -> Path:
    """A project of ``count`` modules, and no requirements."""
    (folder / "many").mkdir(parents=True)
    (folder / "many" / "__init__.py").touch()
    for number in range(count - 1):
        text = _MODULE.format(number=number)
        (folder / "many" / f"module_{number:02}.py").write_text(text, encoding="utf-8")
    (folder / "many" / "__main__.py").write_text("print('many')\n", encoding="utf-8")
    (folder / "tasks.py").write_text("from cannery.tasks import namespace\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text('[project]\nname = "many"\nversion = "1"\n', encoding="utf-8")
    return folder


def _change(project: Path) -> None:
    path = project / "many" / "module_07.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text.partition('CHANGED')[0]}CHANGED = {time.time_ns()}\n", encoding="utf-8")


def _extensions(bench: Bench) -> set[Path]:
    return {path for path in bench.cache.glob("*/extensions/*/*") if path.is_file()}


def _clean(project: Path) -> None:
    shutil.rmtree(project / "build", ignore_errors=True)
    for path in project.glob("many/*"):
        if path.suffix in {".c", ".so"}:
            path.unlink()
