"""The project's own code, read and not run: what a module binds, and what makes an object that it binds."""

from __future__ import annotations

import ast
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.errors import CanneryError
from cannery.project.modules import find_module, module_file
from cannery.python.grammar import NoPythonError, parse, parse_with
from cannery.workspace.files import explained
from cannery.workspace.process import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

__all__ = ["OwnCode", "interface_of", "parsed", "resolved"]

_DEEPEST: Final = 20  # steps from an object to what makes it
_ASGI: Final = 3  # arguments of an application: scope, receive, send (asgi.readthedocs.io)
_WSGI: Final = 2  # environ, start_response (PEP 3333)

Binding = ast.expr | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | tuple[str, str]


def parsed(path: Path, python: Callable[[], Path] | None = None) -> ast.Module | None:
    """The code in ``path``; None where it's no Python, which is told with its place when the app's files are read.

    ``python`` finds the Python that it is for, which may know a syntax that the running one doesn't.
    """
    with explained(path, "read"):
        source = path.read_bytes()
    try:
        return parse(source)
    except NoPythonError:
        if python is None:
            return None
    with suppress(NoPythonError, CanneryError):  # which are told where more depends on that Python
        if (asked := python()) != Path(sys.executable):
            return parse_with(asked, source, run)
    return None


def interface_of(function: ast.FunctionDef | ast.AsyncFunctionDef, *, method: bool = False) -> str:
    """``asgi`` or ``wsgi`` for a function with the arguments of such an application; empty for any other."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)][1 if method else 0 :]
    if isinstance(function, ast.AsyncFunctionDef):
        return "asgi" if len(names) == _ASGI and names[1].startswith("rec") and names[2].startswith("s") else ""
    return "wsgi" if len(names) >= _WSGI and names[1].startswith("start") else ""


def resolved(node: ast.ImportFrom, package: str) -> str:
    """The full name of the module in ``from … import``, in a module of ``package`` (PEP 328)."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - node.level + 1])
    return ".".join(filter(None, (base, node.module)))


@dataclass
class OwnCode:
    """The modules of the project in ``folder``, each parsed once."""

    folder: Path
    roots: Sequence[PurePosixPath]
    python: Callable[[], Path] | None = None  # finds the Python that they are for
    _trees: dict[Path, ast.Module | None] = field(default_factory=dict)

    def tree(self, path: Path) -> ast.Module | None:
        """The code in ``path``, as :func:`parsed` has it."""
        if path not in self._trees:
            self._trees[path] = parsed(path, self.python)
        return self._trees[path]

    def source_of(self, module: str) -> Path | None:
        """The source of the module; None for a namespace, for an extension module, and for somebody else's."""
        for found in find_module(self.folder, self.roots, module):
            path = module_file(found, "__init__") if found.is_dir() else found
            if path is not None and path.suffix == ".py":
                return path
        return None

    def name_of(self, path: Path) -> str:
        """The name that the source ``path`` is imported by, from the innermost folder that imports start from."""
        places = [self.folder / root for root in self.roots if path.is_relative_to(self.folder / root)]
        relative = path.relative_to(max(places, key=lambda place: len(place.parts), default=self.folder))
        return ".".join(relative.with_suffix("").parts).removesuffix(".__init__")

    def bindings(self, path: Path) -> dict[str, Binding]:
        """The names that the module in ``path`` binds at its top level, with what each is bound to."""
        tree = self.tree(path)
        name = self.name_of(path)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        return dict(_bound(tree.body, package)) if tree is not None else {}

    def origin(self, path: Path, name: str) -> str:
        """The full name of what makes the object ``name`` of a module, as ``fastapi.FastAPI``; empty where none shows.

        It's ``asgi`` or ``wsgi`` where the project's own code defines an application by its arguments.
        """
        return self._of_name(path, name, {}, _DEEPEST)

    def made_by(self, path: Path, function: str) -> str:
        """The same for the object that a ``function`` of the module returns, which must ask for no arguments."""
        found = self.bindings(path).get(function)
        if not isinstance(found, ast.FunctionDef) or _asks(found):
            return ""
        return self._returned(path, found, _DEEPEST)

    def made(self, path: Path, names: Sequence[str]) -> str:
        """The same for a call of what ``names`` lead to: a class or a function of the module, or a method behind it."""
        found = self.bindings(path).get(names[0])
        if isinstance(found, tuple) and (source := self.source_of(found[0])) is not None:
            return self.made(source, [found[1], *names[1:]])
        if isinstance(found, ast.ClassDef) and len(names) > 1:
            return self._member(path, found, names[1], _DEEPEST)
        return self._made(path, found, _DEEPEST) if found is not None else ""

    def _member(self, path: Path, found: ast.ClassDef, name: str, depth: int) -> str:
        """What a method of a class returns, or what an attribute of that name is by its annotation."""
        for node in found.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return self._returned(path, node, depth)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
                return self._called(path, node.annotation, {}, depth)
        return ""

    def _of_name(self, path: Path, name: str, local: Mapping[str, Binding], depth: int) -> str:
        found = local.get(name) or self.bindings(path).get(name)
        if found is None or not depth:
            return ""
        if isinstance(found, tuple):
            source = self.source_of(found[0])
            return self._of_name(source, found[1], {}, depth - 1) if source and found[1] else ""
        if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
            return interface_of(found)
        return self._of(path, found, local, depth - 1) if isinstance(found, ast.expr) else ""

    def _of(self, path: Path, value: ast.expr, local: Mapping[str, Binding], depth: int) -> str:
        """What makes the ``value`` of an expression in a module, or in one of its functions with ``local`` names."""
        match value:
            case ast.Call():
                return self._called(path, value.func, local, depth)
            case ast.Name(id=name):
                return self._of_name(path, name, local, depth)
            case ast.Attribute(value=owner, attr=attribute):
                made = self._of(path, owner, local, depth)
                return f"{made}.{attribute}" if made else ""
            case ast.IfExp(body=first, orelse=other):
                return self._of(path, first, local, depth) or self._of(path, other, local, depth)
        return ""

    def _called(self, path: Path, function: ast.expr, local: Mapping[str, Binding], depth: int) -> str:
        """What a call of ``function`` makes: the full name of that, or where it's the project's own what that makes."""
        if not depth:
            return ""
        match function:
            case ast.Name(id=name):
                found = local.get(name) or self.bindings(path).get(name)
                return self._made(path, found, depth) if found is not None else ""
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                found = local.get(name) or self.bindings(path).get(name)
                if isinstance(found, tuple):
                    return self._made(path, _within(found, attribute), depth)
        match function:
            case ast.Attribute(value=owner, attr=attribute):
                made = self._of(path, owner, local, depth - 1) or _dotted(owner)
                return f"{made}.{attribute}" if made else ""
        return ""

    def _made(self, path: Path, found: Binding, depth: int) -> str:
        if isinstance(found, tuple):
            source = self.source_of(found[0])
            if source is None:
                return ".".join(filter(None, found))
            inner = self.bindings(source).get(found[1])
            return self._made(source, inner, depth - 1) if inner is not None and depth else ""
        if isinstance(found, ast.FunctionDef):
            return self._returned(path, found, depth - 1)
        return self._instance(path, found, depth) if isinstance(found, ast.ClassDef) else ""

    def _returned(self, path: Path, function: ast.FunctionDef, depth: int) -> str:
        local = dict(_bound(function.body, ""))
        values = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
        return next(filter(None, (self._of(path, value, local, depth) for value in values)), "") if depth > 0 else ""

    def _instance(self, path: Path, found: ast.ClassDef, depth: int) -> str:
        for node in found.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "__call__":
                return interface_of(node, method=True)
        made = (self._called(path, base, {}, depth - 1) for base in found.bases)
        return next(filter(None, made), "")


def _bound(body: Sequence[ast.stmt], package: str) -> Iterator[tuple[str, Binding]]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node
            case ast.Import():
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    yield (alias.asname, (alias.name, "")) if alias.asname else (top, (top, ""))
            case ast.ImportFrom():
                module = resolved(node, package)
                yield from ((alias.asname or alias.name, (module, alias.name)) for alias in node.names)
            case ast.Assign(value=value):
                names = (target for target in node.targets if isinstance(target, ast.Name))
                yield from ((target.id, value) for target in names)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.If() | ast.With() | ast.Try():
                yield from _bound([*node.body, *getattr(node, "orelse", ())], package)


def _within(found: tuple[str, str], attribute: str) -> tuple[str, str]:
    """What an import has, one name further: of a module, or of an object in it."""
    return (".".join(filter(None, found)), attribute)


def _dotted(value: ast.expr) -> str:
    """``a.b`` as text; empty for any other expression."""
    match value:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=owner, attr=attribute):
            above = _dotted(owner)
            return f"{above}.{attribute}" if above else ""
    return ""


def _asks(function: ast.FunctionDef) -> bool:
    """True for a function that can't be called without arguments."""
    given = function.args
    positional = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    return positional > 0 or any(default is None for default in given.kw_defaults)
