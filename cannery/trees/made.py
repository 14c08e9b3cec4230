"""Modules that a project's build backend makes: its code imports them, and its folder lacks them."""

from __future__ import annotations

import ast
import zipfile
from typing import TYPE_CHECKING

import msgspec

from cannery.errors import CanneryError
from cannery.project.app import HOME
from cannery.project.local_projects import files_of, local_wheel
from cannery.project.modules import find_module, imported_as
from cannery.python.grammar import NoPythonError, parse
from cannery.workspace.documents import toml_tables
from cannery.workspace.files import explained
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.unaltered import unaltered_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cannery.trees.collect import Collected
    from cannery.workspace.workspace import Workspace

__all__ = ["Made", "add_made"]

_SHOWN = 8  # lines of what a backend says


class Made(msgspec.Struct, frozen=True):
    """What a build backend has made for an app."""

    paths: tuple[str, ...] = ()  # of the image
    notes: tuple[str, ...] = ()


def add_made(code: Collected, python: Callable[[], Path], workspace: Workspace) -> Made:
    """Add to ``code`` what the wheel of the project has in its packages and its folder lacks, ``_version.py`` say.

    That is where the code imports a module of a package of the project which isn't there: the backend is asked then to
    build the wheel, by PEP 517 and in an environment of its own, for the Python that ``python`` finds.
    """
    app = code.app
    absent = sorted({name for name in _absent(code) if not find_module(app.folder, app.import_roots, name)})
    if not absent or not _has_backend(app.folder):
        return Made()
    try:
        made = _files_of_wheel(app.folder, python(), workspace)
    except CanneryError as error:
        evidence = " ".join(map(str.strip, error.evidence.strip().splitlines()[-_SHOWN:]))
        return Made(notes=(f"{absent[0]} is imported and isn't there, and the project doesn't build: {evidence}",))
    paths = {shown: path for shown, path in _missing(made, code) if not code.stays_behind(app.folder / _inside(shown))}
    if not {imported_as(shown, app.image_roots) for shown in paths}.intersection(absent):
        return Made()
    for shown, path in paths.items():
        code.add_made(shown, path)
    return Made(tuple(paths), (f"goes in, as the project's build backend makes it: {', '.join(map(_inside, paths))}",))


def _absent(code: Collected) -> Iterator[str]:
    """The full names of modules that the code imports from its own packages, and that nothing there has."""
    for place, name in sorted(code.modules):
        module = imported_as(place, code.app.image_roots)
        package = module if place.endswith("/__init__.py") else module.rpartition(".")[0]
        level = len(name) - len(name.lstrip("."))
        above = package.split(".") if package else []
        if level > len(above):
            continue  # it leads above the top
        full = ".".join([*above[: len(above) - level + 1], name.lstrip(".")]) if level else name
        own = full.rstrip("?")
        if "." in own and not _there(own, code) and not (full != own and _says(own, code)):
            yield own


def _there(name: str, code: Collected) -> bool:
    stems = [f"{root}/{name.replace('.', '/')}" for root in code.app.image_roots]
    return any(f"{stem}{end}" in code.entries for stem in stems for end in (".py", "/__init__.py"))


def _says(name: str, code: Collected) -> bool:
    """True where the package that ``name`` lies in may have an attribute of that name, which is no module then."""
    package, _, word = name.rpartition(".")
    for root in code.app.image_roots:
        path = code.app.folder / _inside(f"{root}/{package.replace('.', '/')}/__init__.py")
        if path.is_file():
            try:
                return not {word, "*", "__getattr__"}.isdisjoint(_bound(parse(path.read_bytes())))
            except NoPythonError:
                return True
    return True


def _bound(tree: ast.Module) -> Iterator[str]:
    """The names that a module binds, wherever in it, but for what it imports from its own package."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Import(names=aliases) | ast.ImportFrom(module=str(), names=aliases):
                yield from (alias.asname or alias.name for alias in aliases)


def _has_backend(folder: Path) -> bool:
    """True for a project that says what builds it (PEP 517), or has a ``setup.py``."""
    try:
        tables = toml_tables((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        tables = {}
    return "build-system" in tables or (folder / "setup.py").is_file()


def _files_of_wheel(folder: Path, python: Path, workspace: Workspace) -> Path:
    """A folder with the files of the project's wheel. What the build has left among the sources goes again.

    Else it would be there the next time, and stay as it is though a later commit has another version.
    """
    before = {name for name, _ in files_of(folder)}
    wheel = local_wheel(folder, python, workspace)

    def unpack(target: Path) -> None:
        with explained(wheel.path, "read"), zipfile.ZipFile(wheel.path) as archive:
            archive.extractall(target)

    key = key_of("made", code_key(__name__), wheel.sha256)
    made = unaltered_folder(workspace.cache, "made-files", key, unpack)
    for name, path in [*files_of(folder)]:
        if name not in before and any(name.endswith(inside) for inside in _names(made)):
            path.unlink(missing_ok=True)
    return made


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _missing(made: Path, code: Collected) -> Iterator[tuple[str, Path]]:
    """The files of the wheel in packages of the app that the project's folder has none of, by their image paths."""
    app = code.app
    for name in sorted(_names(made)):
        top, _, rest = name.partition("/")
        roots = [root for root in app.image_roots if any(path.startswith(f"{root}/{top}/") for path in code.entries)]
        if rest and roots and not any((app.folder / root / name).exists() for root in app.import_roots):
            yield f"{roots[0]}/{name}", made / name


def _inside(shown: str) -> str:
    """The path relative to the project of a path of the image."""
    return shown.removeprefix(f"{HOME}/")
