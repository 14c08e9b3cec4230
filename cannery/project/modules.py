"""A project's own modules: what ``import`` would load from its folders, told by the files alone."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cannery.project.layout import declared_roots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "find_module",
    "import_roots",
    "imported_as",
    "is_about_projects",
    "is_environment",
    "is_read_by_tools",
    "module_file",
    "named_by",
    "own_modules",
    "own_packages",
    "packages_in",
]

# Packages and modules at the top level that are about a project, as setuptools counts them in its automatic discovery
# (setuptools.pypa.io, flat layout): they are the program's where something names them
_ABOUT_PROJECTS = {
    *("benchmark", "benchmarks", "bin", "build", "changelog", "ci", "debian", "dist", "doc", "docs", "documentation"),
    *("example", "examples", "exercise", "exercises", "htmlcov", "manpages", "news", "newsfragments", "node_modules"),
    *("python", "scripts", "site_scons", "test", "tests", "tools", "unit_test", "unit_tests", "util", "utils"),
}
# Modules there that other tools read
_OF_TOOLS = {"conanfile", "conftest", "dodo", "fabfile", "noxfile", "pavement", "setup", "tasks", "toxfile"}
_TESTS = re.compile(r"test_\w*|\w*_test")


def import_roots(folder: Path) -> tuple[PurePosixPath, ...]:
    """The folders that imports start from, relative to ``folder``.

    They are those that the settings of a build backend name, ``src`` if the project has that layout, and the project's
    own (packaging.python.org, src layout vs flat layout).
    """
    source = folder / "src"
    has_source = (
        source.is_dir() and module_file(source, "__init__") is None and any(own_packages(source, namespaces=True))
    )
    usual = (PurePosixPath("src"), PurePosixPath()) if has_source else (PurePosixPath(),)
    return tuple(dict.fromkeys((*declared_roots(folder), *usual)))


def packages_in(root: Path) -> Iterator[Path]:
    """The folders of the packages at the top level of ``root``, but for namespace packages: any folder may be one."""
    for path in sorted(root.iterdir()):
        if path.is_dir() and module_file(path, "__init__") is not None:
            yield path


def is_about_projects(name: str) -> bool:
    """True for the name of a module or a folder that is about projects, and seldom a part of what they make."""
    return name in _ABOUT_PROJECTS or is_read_by_tools(name) or _TESTS.fullmatch(name) is not None


def is_read_by_tools(name: str) -> bool:
    """True for the name of a module that nobody runs but a tool for projects."""
    return name in _OF_TOOLS


def own_packages(root: Path, *, namespaces: bool) -> Iterator[Path]:
    """The packages in ``root`` that belong to a program, whether or not an import shows them.

    With ``namespaces``, folders with no ``__init__`` count, too: in a folder that has nothing but packages.
    """
    for path in sorted(root.iterdir()):
        if path.is_dir() and not is_about_projects(path.name) and not is_environment(path):
            namespace = namespaces and path.name.isidentifier() and _holds_modules(path)
            if namespace or module_file(path, "__init__") is not None:
                yield path


def own_modules(root: Path) -> Iterator[Path]:
    """The modules in ``root`` that belong to a program, as those beside a script do."""
    for path in sorted(root.iterdir()):
        name = path.name.partition(".")[0]
        is_module = path.suffix == ".py" or path.name.endswith(".so")
        if is_module and name.isidentifier() and not is_about_projects(name) and module_file(root, name) == path:
            yield path


def is_environment(folder: Path) -> bool:
    """True for a virtual environment (PEP 405)."""
    return (folder / "pyvenv.cfg").is_file()


def find_module(folder: Path, roots: Iterable[PurePosixPath], module: str) -> tuple[Path, ...]:
    """The paths that ``import module`` would load from the project in ``folder``; none for somebody else's module.

    They are one file, a package's folder, or all the folders of a namespace package (PEP 420).
    """
    places = tuple(folder / root for root in roots)
    for name in module.split("."):
        places = _find(places, name) if name.isidentifier() else ()
    return places


def module_file(folder: Path, name: str) -> Path | None:
    """The file of the module ``name`` in ``folder``, if it's there: its source, else an extension module."""
    candidates = (folder / f"{name}.py", folder / f"{name}.so", *sorted(folder.glob(f"{name}.*.so")))
    return next((path for path in candidates if path.is_file()), None)


def imported_as(path: str, roots: Iterable[str]) -> str:
    """The dotted name that the source ``path`` is imported by, from the innermost of the ``roots`` that it lies in."""
    root = max((root for root in roots if path.startswith(f"{root}/")), key=len, default="/")
    name = path.removeprefix(root).strip("/").removesuffix(".py").removesuffix("/__init__")
    return name.replace("/", ".")


def named_by(module: str, patterns: Iterable[str]) -> bool:
    """True if one of ``patterns`` names the module, or a package that it lies in."""
    return any(fnmatch.fnmatchcase(module, each) for pattern in patterns for each in (pattern, f"{pattern}.*"))


def _find(places: Iterable[Path], name: str) -> tuple[Path, ...]:
    """The first module or package called ``name`` in ``places``, else all portions of a namespace package (PEP 420)."""
    portions: list[Path] = []
    for place in places:
        package = place / name
        if module_file(package, "__init__") is not None:
            return (package,)
        if (single := module_file(place, name)) is not None:
            return (single,)
        if package.is_dir() and not is_environment(package) and _holds_modules(package):
            portions.append(package)
    return tuple(portions)


def _holds_modules(folder: Path) -> bool:
    """True if a module lies in ``folder`` or below: a folder of data may have the name of somebody else's package."""
    return any(next(folder.rglob(pattern), None) is not None for pattern in ("*.py", "*.so"))
