"""Files and folders of the project that its dependencies' code looks for where the program starts."""

from __future__ import annotations

import ast
import posixpath
import re
from typing import TYPE_CHECKING, Final

from cannery.project.modules import is_about_projects
from cannery.python.grammar import NoPythonError, parse
from cannery.trees.own import OwnFiles
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.image.tree import LazyTree
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["looked_for", "paths_in"]

_PATH: Final = re.compile(r"(?:\./)?[\w-][\w.-]*(?:/[\w-][\w.-]*)*/?")
_BESIDE: Final = re.compile(r"\./[^/]")  # said to be relative to where the program starts
_TAKE_PATHS: Final = {"Path", "exists", "glob", "isdir", "isfile", "listdir", "open", "scandir", "walk"}
_OWNERS: Final = {"glob", "os", "path", "pathlib"}  # modules whose functions take paths
_OPENERS: Final = {"codecs", "io", "os"}  # and those whose open does: that of a path takes a mode
_HERE: Final = {"cwd", "getcwd"}
# One of these stands in every source that names a path: looked for first, as parsing takes long
_BEFORE: Final = (
    "",
    *(f"{name}(" for name in sorted(_TAKE_PATHS)),
    *(f"{name}(){sign}" for name in sorted(_HERE) for sign in (", ", " / ")),
)
_SIGNS: Final = tuple(f"{before}{quote}{'' if before else './'}".encode() for before in _BEFORE for quote in "\"'")
# A parameter for a folder with its default: assets_folder: str = "assets"
_FOLDER: Final = re.compile(rb"""folder(?::[^=\n]*)?\s*=\s*["'][\w-]+["']""")
_WRITING: Final = re.compile(r"[wax]")
_SETTINGS: Final = "cfg|conf|ini|json|toml|ya?ml"  # the endings of files of settings
_TESTS: Final = {"docs", "examples", "test", "testing", "tests"}  # folders that no program imports
# What tools read that build, check and describe a project
_OF_TOOLS: Final = re.compile(
    r"(?i:readme|license|licence|changelog|changes|history|authors|makefile|dockerfile|pipfile|package\.json).*"
    r"|pyproject\.toml|.*\.(?:cfg|lock)|(?:tox|pytest|mypy)\.ini|.*requirements.*\.(?:txt|in)|.*\.py"
)


def looked_for(app: App, wheels: LazyTree, workspace: Workspace) -> tuple[tuple[str, str], ...]:
    """What lies beside the app's modules and is named in the code of ``wheels``: its path, and the file that names it.

    A word alone is too common. It counts where it's said to lie where the program starts (``"./views/"``), where a
    function takes it for a path (``open("rules.yaml")``), as the default of a parameter for a folder, and as a file of
    settings that is called like the package of the code. Remembered, so that no wheel is read again.
    """
    key = key_of("looked for", code_key(__name__), wheels.key)
    known = workspace.cache.recall("looked-for", key)
    if known is None:
        known = _read(wheels)
        workspace.cache.remember("looked-for", key, known)
    own = OwnFiles(app)
    there = ((path, by) for path, by in known.items() if path.partition("/")[0] in own.names)
    return tuple((each.relative_to(app.folder).as_posix(), by) for path, by in there for each in _data(path, own))


def _data(path: str, own: OwnFiles) -> Iterator[Path]:
    """What lies at ``path`` beside the app's modules; no folder with modules in it, which may go by a common name."""
    for found in own.data_of_strings([path]):
        if not found.is_dir() or next(found.rglob("*.py"), None) is None:
            yield found


def _read(wheels: LazyTree) -> dict[str, str]:
    """Path -> the first source among the wheels that names it."""
    found: dict[str, str] = {}
    for path, file in wheels.tree.files():
        parts = path.partition("-packages/")[2].split("/")
        if path.endswith(".py") and _TESTS.isdisjoint(parts):
            with file.content.open() as stream:
                source = stream.read()
            for name in (*paths_in(source), *_settings_in(source, parts[0])):
                found.setdefault(name, "/".join(parts))
    return found


def _settings_in(source: bytes, package: str) -> set[str]:
    """The files of settings that a source of ``package`` names, and that are called like it: ``scrapy.cfg``.

    However it comes to their folder, nobody else's file is called so.
    """
    package = package.removesuffix(".py")
    if f"{package}.".encode() not in source:
        return set()
    pattern = rf"""["'](?:\./)?({re.escape(package)}\.(?:{_SETTINGS}))["']"""
    return {name.decode() for name in re.findall(pattern.encode(), source)}


def paths_in(source: bytes) -> Iterator[str]:
    """The paths that a source reads relative to where the program starts, without ``./`` before them."""
    if not any(sign in source for sign in _SIGNS) and _FOLDER.search(source) is None:
        return
    try:
        tree = parse(source)
    except NoPythonError:
        return  # in the grammar of a newer Python, or for none at all
    for text in _paths(tree):
        name = posixpath.normpath(text)
        top = name.partition("/")[0]
        if _PATH.fullmatch(text) and not is_about_projects(top.partition(".")[0]) and not _OF_TOOLS.fullmatch(top):
            yield name


def _paths(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if _BESIDE.match(text):
                yield text
            case ast.FunctionDef(args=arguments):
                yield from _default_folders(arguments)
            case ast.Call(func=function, args=[ast.Constant(value=str(text)), *others]) if _takes_path(function):
                if not _writes(others):
                    yield text
            case ast.Call(func=ast.Attribute(attr="join"), args=[ast.Call() as here, ast.Constant(value=str(text))]):
                yield from [text] if _name(here.func) in _HERE else []
            case ast.BinOp(op=ast.Div(), left=ast.Call() as here, right=ast.Constant(value=str(text))):
                yield from [text] if _name(here.func) in _HERE else []


def _default_folders(arguments: ast.arguments) -> Iterator[str]:
    """The defaults of parameters that are called as folders are."""
    named = [*arguments.posonlyargs, *arguments.args]
    defaults = [*zip(reversed(named), reversed(arguments.defaults), strict=False)]
    for parameter, default in (*defaults, *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)):
        if parameter.arg.endswith("folder") and isinstance(default, ast.Constant) and isinstance(default.value, str):
            yield default.value


def _takes_path(function: ast.expr) -> bool:
    """True for a function that is given a path; a method may be one of something else than the file system."""
    if _name(function) not in _TAKE_PATHS:
        return False
    match function:
        case ast.Attribute(attr=attribute, value=owner):
            return _name(owner) in (_OPENERS if attribute == "open" else _OWNERS)
    return True


def _writes(arguments: list[ast.expr]) -> bool:
    """True where the first of further arguments is a mode in which a file is made."""
    match arguments:
        case [ast.Constant(value=str(mode)), *_]:
            return _WRITING.search(mode) is not None
    return False


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
