"""CPython's own tests, run by a Python as kits have it: ``python -m benchmarks.cpython [MODULE …]``.

docs/static-tests.md lists the tests that fail, with the reasons. The exit code is 1 where another one fails.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.executable.kit.cpython import cpython
from cannery.executable.kit.kit import kit_python, write_configuration
from cannery.executable.kit.patches import unpacked_source
from cannery.executable.kit.sources import known_pythons
from cannery.executable.kit.toolchain import native_target, toolchain
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["DOCUMENT", "Outcome", "expected", "main", "prepared", "reason", "run"]

DOCUMENT = Path(__file__).parents[1] / "docs/static-tests.md"
_ROW = re.compile(r"^\| (?P<names>`[^|]+`) \| (?P<why>.+) \|$", re.MULTILINE)
_PATIENCE = 600  # seconds for a module
_NEVER_END = ("*VSOCK*",)  # they wait for a connection that virtual machines don't let through


@dataclass(frozen=True)
class Outcome:
    """The result of a run."""

    passed: int  # tests
    skipped: int
    failing: frozenset[str]  # tests, and modules that failed as a whole
    whole: int  # modules whose tests all passed
    broken: frozenset[str]  # modules with a test that failed
    absent: frozenset[str]  # modules that skipped themselves


def expected(document: str) -> Mapping[str, str]:
    """The tests that are known to fail: patterns of their names, with the reasons."""
    rows = _ROW.finditer(document)
    return {name: row["why"] for row in rows for name in re.findall("`([^`]+)`", row["names"])}


def reason(test: str, known: Mapping[str, str]) -> str | None:
    """The reason why ``test`` is known to fail; None where it isn't."""
    return next((why for pattern, why in known.items() if fnmatchcase(test, pattern)), None)


def prepared(made: Path, folder: Path, workspace: Workspace) -> Path:
    """The path of a copy, below ``folder``, of the interpreter in ``made``, with its whole library and its tests."""
    home = folder / "python"
    shutil.copytree(made, home, ignore=shutil.ignore_patterns("*.a", "__pycache__"))
    write_configuration(home, native_target())
    (python,) = (home / "bin").iterdir()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        top = unpacked_source(known_pythons()[kit_python(python.name.removeprefix("python"))], Path(scratch), workspace)
        shutil.copytree(top / "Lib", home / "lib" / python.name, dirs_exist_ok=True)
    return python


def run(python: Path, modules: Iterable[str], folder: Path, *options: str) -> Outcome:
    """Run the tests of ``modules``, or all tests where it's empty."""
    report = folder / "report.xml"
    ignored = [f"--ignore={pattern}" for pattern in _NEVER_END]
    flags = (f"--junit-xml={report}", f"--timeout={_PATIENCE}", *ignored, *options)
    environment = {"HOME": str(folder), "LANG": "C.UTF-8", "PATH": os.environ["PATH"], "TMPDIR": str(folder)}
    command = [str(python), "-m", "test", *flags, *modules]
    said = folder / "said"
    with said.open("wb") as stream:
        subprocess.run(command, cwd=folder, env=environment, stdout=stream, check=False)  # noqa: S603  # of our making
    return _outcome(said.read_text("utf-8", "replace"), ET.parse(report).getroot())  # noqa: S314  # our own


def _outcome(said: str, report: ET.Element) -> Outcome:
    ended = {"failing": set[str](), "passed": set[str](), "skipped": set[str]()}
    for case in report.iter("testcase"):
        name = case.get("name", "").removeprefix("test.")
        bad = case.find("failure") is not None or case.find("error") is not None
        ended["failing" if bad else "skipped" if case.find("skipped") is not None else "passed"].add(name)
    ended["passed"] -= ended["failing"]  # a test that ran more than once
    broken = _listed(said, "failed")
    told = {name for name in broken if not _names(name, ended["failing"])}
    whole = re.search(r"^(?:All )?(\d+) tests? OK", said, re.MULTILINE)
    return Outcome(
        len(ended["passed"]),
        len(ended["skipped"]),
        frozenset(ended["failing"] | told),
        int(whole[1]) if whole else 0,
        frozenset(broken),
        frozenset(_listed(said, "skipped")),
    )


def _listed(said: str, how: str) -> set[str]:
    """The modules in the list that regrtest ends with."""
    found = re.search(rf"^\d+ tests? {how}:\n((?:    .*\n)+)", said, re.MULTILINE)
    return set(found[1].split()) if found else set()


def _names(module: str, tests: set[str]) -> bool:
    return any(test.startswith(f"{module}.") for test in tests)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cpython", description=__doc__)
    parser.add_argument("--python", metavar="VERSION", help="such as 3.11; the newest that kits have if none")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as test_json; all where none is named")
    arguments = parser.parse_args()
    chosen: Sequence[str] = arguments.modules
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = Workspace.default()
        made = cpython(toolchain(native_target(), workspace), kit_python(arguments.python), tests=True)
        python = prepared(made, folder, workspace)
        outcome = run(python, chosen, folder, f"-j{os.cpu_count()}")
    known = expected(DOCUMENT.read_text(encoding="utf-8"))
    print(f"modules    {outcome.whole} passed, {len(outcome.absent)} were skipped, {len(outcome.broken)} failed")
    print(f"tests      {outcome.passed} passed, {outcome.skipped} were skipped")
    for each in sorted(outcome.absent):
        print(f"skipped    {each}")
    for each in sorted(outcome.failing):
        print(f"fails      {each}: {reason(each, known) or 'it is NOT LISTED'}")
    sys.exit(0 if all(reason(each, known) for each in outcome.failing) else 1)


if __name__ == "__main__":
    main()
