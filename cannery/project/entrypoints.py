"""The entry point of an app: the one that the settings name, checked, or the one that the project's files show."""

from __future__ import annotations

import ast
import warnings
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError, ProjectError, did_you_mean
from cannery.project.app import EntryPoint, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.modules import find_module, module_file, packages_in
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cannery.project.settings import Settings

__all__ = ["find", "packages"]

# Files and folders at a project's top level that are about the project, not part of the app
_NOT_APPS = {"noxfile.py", "tasks.py", "setup.py", "conftest.py", "fabfile.py", "dodo.py"}
_NOT_PACKAGES = {"tests", "test", "docs", "examples", "benchmarks", "build", "dist"}


def find(
    folder: Path,
    roots: tuple[PurePosixPath, ...],
    settings: Settings,
    distribution: str | None,
    scripts: Mapping[str, str],
) -> EntryPoint:
    """The entry point that the settings name, else a console script, a package with ``__main__``, or a script.

    ``roots`` are the folders in ``folder`` that imports start from, ``scripts`` the project's console scripts. Raises
    :class:`ConfigurationError` for an entry point that doesn't exist, :class:`ProjectError` where there is none, or
    where several are equally likely.
    """
    if settings.entry is not None:
        return _named(settings, folder, roots, scripts)
    if scripts:
        name = _choose(scripts, distribution, "[project.scripts] names several scripts")
        return _function(name, scripts[name], folder, roots, settings)
    runnable = [
        path.name
        for root in roots
        for path in packages_in(folder / root)
        if path.name not in _NOT_PACKAGES and module_file(path, "__main__") is not None
    ]
    if runnable:
        return ModuleEntry(_choose(runnable, distribution, "several packages have a __main__"))
    candidates = [path.name for path in sorted(folder.glob("*.py")) if path.name not in _NOT_APPS and path.is_file()]
    if "main.py" in candidates:
        return ScriptEntry(PurePosixPath("main.py"))
    if len(candidates) == 1:
        return ScriptEntry(PurePosixPath(candidates[0]))
    raise ProjectError(
        f"no entry point found in {folder}",
        evidence="looked for [project.scripts], a package with __main__.py, main.py"
        + (f"; there are several scripts: {', '.join(candidates)}" if candidates else ""),
        step='name one in pyproject.toml:  [tool.cannery]  entry = "main.py"  (or "package", "module:function")',
    )


def packages(folder: Path, roots: tuple[PurePosixPath, ...]) -> tuple[str, ...]:
    """The names of the project's own packages, without tests, documentation and the like."""
    found = (path.name for root in roots for path in packages_in(folder / root))
    return tuple(dict.fromkeys(name for name in found if name not in _NOT_PACKAGES))


def _named(
    settings: Settings, folder: Path, roots: tuple[PurePosixPath, ...], scripts: Mapping[str, str]
) -> EntryPoint:
    entry = settings.entry or ""
    if entry in scripts:
        return _function(entry, scripts[entry], folder, roots, settings)
    if entry.endswith(".py"):
        path = PurePosixPath(entry)
        if not (folder / path).is_file() or ".." in path.parts or path.is_absolute():
            hint = did_you_mean(entry, (each.name for each in folder.glob("*.py")))
            raise _missing(entry, f"there is no file {folder / path}", hint)
        return ScriptEntry(path)
    if ":" in entry:
        return _function(entry.partition(":")[0].rpartition(".")[2], entry, folder, roots, settings)
    found = find_module(folder, roots, entry)
    if not found and not settings.packages:
        names = [*scripts, *(path.name for root in roots for path in packages_in(folder / root))]
        raise _missing(entry, "there is no such script, module or package", did_you_mean(entry, names))
    if found and found[0].is_dir() and not any(module_file(part, "__main__") for part in found):
        raise _missing(entry, f"{found[0]} has no __main__.py")
    return ModuleEntry(entry)


def _function(
    name: str, reference: str, folder: Path, roots: tuple[PurePosixPath, ...], settings: Settings
) -> FunctionEntry:
    module, _, attribute = reference.partition(":")
    module, attribute = module.strip(), attribute.partition("[")[0].strip()
    if not module or not attribute:
        raise _missing(reference, "an object reference is written package.module:function")
    found = find_module(folder, roots, module)
    if not found and not settings.packages:
        raise _missing(reference, f"there is no module {module} in {folder}")
    source = next((module_file(path, "__init__") if path.is_dir() else path for path in found), None)
    if source is not None and source.suffix == ".py":
        names = _names_of(source)
        first = attribute.split(".", maxsplit=1)[0]
        if names is not None and first not in names:
            raise _missing(reference, f"{source} defines no {first!r}", did_you_mean(first, names))
    return FunctionEntry(name, module, attribute)


def _names_of(path: Path) -> set[str] | None:
    """The names that the module in ``path`` binds; None where only running it could tell, as with ``import *``."""
    try:
        with explained(path, "read"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the project's own tests show them
            tree = ast.parse(path.read_bytes(), path)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # reported with its place when the app's files are read
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            if node.name == "*":
                return None
            names.add((node.asname or node.name).split(".", maxsplit=1)[0])
    return None if "__getattr__" in names else names


def _choose(names: Iterable[str], distribution: str | None, what: str) -> str:
    names = list(dict.fromkeys(names))
    if len(names) == 1:
        return names[0]
    from packaging.utils import canonicalize_name  # noqa: PLC0415  # slow to import, and seldom needed

    wanted = canonicalize_name(distribution or "")
    for name in names:
        if canonicalize_name(name) == wanted:
            return name
    raise ProjectError(
        what, evidence=", ".join(names), step=f'choose one in pyproject.toml:  [tool.cannery]  entry = "{names[0]}"'
    )


def _missing(entry: str, evidence: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError(
        f"the entry point {entry!r} does not exist",
        evidence="\n".join(filter(None, (evidence, hint))),
        step='correct it in pyproject.toml:  entry = "main.py"  (or "package", "module:function")',
    )
