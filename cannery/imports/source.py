"""A source read: its statements in order, less those that never run, with the imports and expressions in them."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import CanneryError
from cannery.imports.conditions import Conditions
from cannery.imports.expressions import ExpressionReader, last_name, strings_in
from cannery.imports.extension import read_cython
from cannery.imports.found import Gathered
from cannery.imports.main_only import only_for_main
from cannery.imports.model import Import, Mentions
from cannery.imports.module_getattr import calls, is_made_elsewhere, module_getattr, names_compared
from cannery.python.grammar import NoPythonError, parse, parse_with
from cannery.workspace.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.imports.model import Host, Where

__all__ = ["read_source"]

_FAILURES = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def read_source(
    source: bytes,
    host: Host,
    *,
    main: bool = False,
    place: Where = "dependencies",
    groups: frozenset[str] = frozenset(),
) -> Mentions:
    """The mentions of ``source``, which lies in ``place``; with ``main`` it is run rather than imported.

    ``groups`` are the names of all groups of entry points. A text that is no Python is read as a module that refuses to
    be imported.
    """
    try:
        tree = _parsed(source, host)
    except NoPythonError:
        return Mentions(refuses=True)
    except CanneryError:  # of a newer Python that can't be asked: its syntax is unknown here, but imports look as ever
        return read_cython(source)
    found = Gathered(place, groups)
    _StatementReader(tree, Conditions(tree, host, main=main), found).block(tree.body, needed=True)
    return found.mentions()


def _parsed(source: bytes, host: Host) -> ast.Module:
    """The syntax tree of ``source`` in the grammar of ``host``; raises :class:`ToolError` where that can't be asked."""
    try:
        return parse(source)
    except NoPythonError:
        if host.version[:2] <= sys.version_info[:2]:
            raise
        return parse_with(Path(host.newer), source, run)


class _StatementReader:
    """Notes in ``found`` what a module's statements say of other modules.

    A statement is ``needed`` if the module can't be imported where it fails: at the top level, or in a class there.
    """

    def __init__(self, tree: ast.Module, conditions: Conditions, found: Gathered) -> None:
        self._conditions = conditions
        self._found = found
        self._expressions = ExpressionReader(conditions, found)
        self._main_only = only_for_main(tree, conditions)
        self._main_asked = tuple(sorted(name for name in self._main_only if not name.startswith("_")))
        self._getattr = module_getattr(tree)
        found.loads |= is_made_elsewhere(tree)
        self._asked: tuple[str, ...] = ()  # Import.asked of the statements that are read now
        self._unless: tuple[str, ...] = ()  # Import.unless of these
        self._caught = 0  # try statements with handlers around these

    def block(self, body: Iterable[ast.stmt], *, needed: bool) -> bool:
        """Read statements in order; False where no statement after the block is run, as one of it raises."""
        for statement in body:
            if isinstance(statement, ast.Raise | ast.Return):
                self._expression(statement)
                self._found.refuses |= needed and not self._caught and isinstance(statement, ast.Raise)
                return False
            if not self._statement(statement, needed=needed):
                return False
        return True

    def _statement(self, node: ast.stmt, *, needed: bool) -> bool:
        match node:
            case ast.If():
                return self._if(node, needed=needed)
            case ast.Try() | ast.TryStar():
                return self._try(node, needed=needed)
            case ast.Import() | ast.ImportFrom():
                self._import(node, needed=needed)
            case ast.With() | ast.AsyncWith():
                self._with(node, needed=needed)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._definition(node, needed=needed)
            case ast.For() | ast.AsyncFor() | ast.While() | ast.Match():
                self._parts(node)
            case ast.Assign() | ast.AugAssign() | ast.AnnAssign():
                self._found.aliases.update(_alias(node))
                self._assignment(node)
            case _ if not _is_docstring(node):
                self._expression(node)
        return True

    def _expression(self, node: ast.AST) -> None:
        self._expressions.read(node, self._unless)

    def _import(self, node: ast.Import | ast.ImportFrom, *, needed: bool) -> None:
        names = tuple(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = f"{node.module}." if node.module and not node.level else ""
            self._found.attributes.update(f"{base}{name}" for name in names)
            self._add_import(node.module or "", node.level, names, needed=needed)
        else:
            for name in names:
                self._add_import(name, needed=needed)

    def _add_import(self, module: str, level: int = 0, names: tuple[str, ...] = (), *, needed: bool) -> None:
        guarded = self._found.guards > 0
        statement = Import(module, level, names, needed, self._unless, asked=self._asked, guarded=guarded)
        self._found.imports.append(statement)

    def _with(self, node: ast.With | ast.AsyncWith, *, needed: bool) -> None:
        for item in node.items:
            self._expression(item.context_expr)
        suppresses = any(map(_suppresses, node.items))
        self._found.guards += suppresses
        self.block(node.body, needed=needed and not suppresses)
        self._found.guards -= suppresses

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, *, needed: bool) -> None:
        if isinstance(node, ast.ClassDef):
            for each in (*node.decorator_list, *node.bases, *node.keywords):
                self._expression(each)
            self.block(node.body, needed=needed)
        elif node.name not in self._main_only:
            self._function(node)
        elif self._main_asked:
            self._asked = self._main_asked
            self._function(node)
            self._asked = ()

    def _if(self, node: ast.If, *, needed: bool) -> bool:
        truth = self._conditions.truth(node.test)
        self._expression(node.test)
        if truth is None:
            going_on = [self.block(body, needed=False) for body in (node.body, node.orelse)]
            return any(going_on)
        return self.block(node.body if truth else node.orelse, needed=needed)

    def _try(self, node: ast.Try | ast.TryStar, *, needed: bool) -> bool:
        guarded = any(_catches_failed_import(handler) for handler in node.handlers)
        self._caught += bool(node.handlers)
        goes_on = any(_catches_failed_import(handler) and not _raises(handler.body) for handler in node.handlers)
        self._found.guards += goes_on
        self.block(node.body, needed=needed and not guarded)
        self._found.guards -= goes_on
        self._caught -= bool(node.handlers)
        first = self._unless
        for handler in node.handlers:
            if _catches_failed_import(handler) and (imported := _imported_from(node.body)):
                self._unless = (*first, *imported)
            self.block(handler.body, needed=False)
            self._unless = first
        self.block(node.orelse, needed=needed and not guarded)
        return self.block(node.finalbody, needed=needed)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator)
        arguments = [*node.args.posonlyargs, *node.args.args]
        defaults = [*zip(arguments[len(arguments) - len(node.args.defaults) :], node.args.defaults, strict=True)]
        for argument, default in [*defaults, *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]:
            if default is not None:
                self._expressions.codec(argument.arg, default)
                self._expression(default)
        outer, self._found.function = self._found.function, node.name
        if node is self._getattr:
            self._made_when_asked(node.body, node.args.args[0].arg)
        else:
            self.block(node.body, needed=False)
        self._found.function = outer

    def _made_when_asked(self, body: Iterable[ast.stmt], argument: str) -> None:
        """Read a module's ``__getattr__``: below ``if name == "x"`` runs when another module asks for x."""
        for statement in body:
            if isinstance(statement, ast.If) and (names := names_compared(statement.test, argument)):
                self._asked = names
                self.block(statement.body, needed=False)
                self._asked = ()
                self._made_when_asked(statement.orelse, argument)
            else:
                self._found.loads |= self._found.place != "stdlib" and calls(statement)  # what may import for it
                self.block([statement], needed=False)

    def _parts(self, node: ast.AST) -> None:
        """Read the statements and expressions in a loop or a match, none of which is ``needed``."""
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.stmt):
                self.block([part], needed=False)
            elif isinstance(part, ast.match_case):
                self._parts(part)
            else:
                self._expression(part)

    def _assignment(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if node.value is not None and isinstance(target, ast.Name | ast.Attribute):
                name = target.id if isinstance(target, ast.Name) else target.attr
                self._expressions.codec(name, node.value)
                if name == "__all__":
                    self._found.exports += tuple(strings_in(node.value))
                    return
            self._expression(target)
        if node.value is not None:
            self._expression(node.value)


def _catches_failed_import(handler: ast.ExceptHandler) -> bool:
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or last_name(each) in _FAILURES for each in names)


def _raises(body: list[ast.stmt]) -> bool:
    """True where a block ends in an exception: a handler of that kind gives the failure other words."""
    return bool(body) and isinstance(body[-1], ast.Raise)


def _alias(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """The names in ``sys.modules["package.name"] = sys.modules["package.other"]``."""
    match node:
        case ast.Assign(
            targets=[ast.Subscript(value=ast.Attribute(attr="modules"), slice=ast.Constant(value=str(name)))],
            value=ast.Subscript(value=ast.Attribute(attr="modules"), slice=ast.Constant(value=str(other))),
        ):
            yield name, other


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    return (
        isinstance(call, ast.Call)
        and last_name(call.func) == "suppress"
        and any(last_name(each) in _FAILURES for each in call.args)
    )


def _imported_from(body: list[ast.stmt]) -> tuple[str, ...]:
    """The modules that a block imports; empty where it does anything else."""
    names: list[str] = []
    for node in body:
        match node:
            case ast.Import():
                names += [alias.name for alias in node.names]
            case ast.ImportFrom(level=0, module=str() as module):
                names.append(module)
            case _:
                return ()
    return tuple(names)
