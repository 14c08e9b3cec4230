"""A package as a project: a script that imports its modules and asks for its version, and one that uses it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.workspace.process import ProgramFailed, find_uv, run

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NAMES", "PackageProject", "Unusable", "make_project"]

NAMES: Final = Path(__file__).with_name("names.txt").read_text(encoding="utf-8").split()
_USES: Final = Path(__file__).with_name("uses")
_MOST: Final = 12  # modules of one package
_QUICK: Final = 'packing = "none"\n'  # the same program, made in a tenth of the time
_BEGIN: Final = """\
import sys

if sys.argv[1] == "use":
    import use

    sys.exit()
"""
# No "except": recipes leave out what a program says that it does without.
_IMPORT: Final = """
with Told("{name}"):
    import {name}
"""
_TOLD: Final = """

class Told:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        pass

    def __exit__(self, kind, error, _):
        what = "imported" if kind is None else f"{kind.__name__} {getattr(error, 'name', None) or error}"
        print(f"{self.name}: {what}")
        return True

"""
_END: Final = """
from importlib.metadata import version

print("version", version("{package}"))
"""
# Run by the environment that has the package: the modules that nothing but folders lies above, as "import" names them.
_TOPS: Final = """
import importlib.metadata, json, sys
files = [file.parts for file in importlib.metadata.distribution(sys.argv[1]).files or ()]
code = [parts for parts in files if parts[-1].endswith((".py", ".so"))]
packages = {parts[:-1] for parts in code if parts[-1] == "__init__.py"}
modules = packages | {(*parts[:-1], parts[-1].partition(".")[0]) for parts in code if parts[-1] != "__init__.py"}
names = {parts for parts in modules if not any(parts[:end] in packages for end in range(1, len(parts)))}
tests = {"test", "tests", "docs", "examples", "benchmarks"}
print(json.dumps(sorted(".".join(each) for each in names if all(map(str.isidentifier, each))
    and not each[-1].startswith("_") and tests.isdisjoint(each))))
"""


class Unusable(Exception):  # noqa: N818  # it says what happened
    """A package that has no wheel for this machine, or no module."""


@dataclass(frozen=True)
class PackageProject:
    """A project that requires one package."""

    folder: Path
    package: str
    version: str
    asked: tuple[str, ...]  # the arguments of its program: "import", and "use" where there are lines that use it


def make_project(folder: Path, package: str, python: str) -> PackageProject:
    """Write the project of ``package`` into ``folder``, its requirements pinned for the interpreter ``python``.

    Raises :class:`Unusable` with the reason where there is none.
    """
    folder.mkdir(parents=True)
    (folder / "requirements.txt").write_text(_pinned(package, python, folder), encoding="utf-8")
    names, version = _modules(package, python, folder)
    if not names:
        raise Unusable("it has no module")
    imports = (_IMPORT.format(name=name) for name in names)
    asked = ["import"]
    begin = ""
    use = _USES / f"{package}.py"
    if use.is_file():
        shutil.copy(use, folder / "use.py")
        asked.append("use")
        begin = _BEGIN
    (folder / "main.py").write_text("".join((begin, _TOLD, *imports, _END.format(package=package))), encoding="utf-8")
    settings = f"[tool.cannery]\ncheck = {json.dumps(asked)}\n[tool.cannery.static]\n{_QUICK}"
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    return PackageProject(folder, package, version, tuple(asked))


def _pinned(package: str, python: str, folder: Path) -> str:
    (folder / "wanted.txt").write_text(f"{package}\n", encoding="utf-8")
    command = ["pip", "compile", "--quiet", "--no-header", "--no-annotate", "--only-binary=:all:", "wanted.txt"]
    return _uv([*command, "--python", python], folder)


def _modules(package: str, python: str, folder: Path) -> tuple[list[str], str]:
    """The modules of the package, and its version."""
    venv = folder.with_name(f"{folder.name}-venv")
    try:
        _uv(["venv", "--quiet", "--no-project", "--python", python, str(venv)], folder)
        inside = str(venv / "bin" / "python")
        install = ["pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--python", inside]
        _uv([*install, "--requirements", "requirements.txt"], folder)
        names = json.loads(run([inside, "-c", _TOPS, package]).stdout)[:_MOST]
        ask = f"from importlib.metadata import version; print(version({package!r}))"
        return names, run([inside, "-c", ask]).stdout.strip()
    finally:
        shutil.rmtree(venv, ignore_errors=True)


def _uv(words: Iterable[str], folder: Path) -> str:
    try:
        return run([find_uv(), *words], cwd=folder).stdout
    except ProgramFailed as error:
        raise Unusable(" ".join(error.stderr.split())[-300:]) from error
