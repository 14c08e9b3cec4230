"""Expressions whose value is known before a program runs: platform, version, type checking, constants."""

from __future__ import annotations

import ast
import operator
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cannery.imports.model import Host

__all__ = ["UNKNOWN", "Conditions"]

UNKNOWN: Any = object()  # the value of an expression that only a run can tell

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


class Conditions:
    """The values of expressions of one module; :data:`UNKNOWN` where only a run can tell."""

    def __init__(self, tree: ast.Module, host: Host, *, main: bool) -> None:
        self._values: dict[str, Any] = {
            "sys.platform": host.platform,
            "sys.version_info": (*host.version, "final", 0),
            "sys.version_info.major": host.version[0],
            "sys.version_info.minor": host.version[1],
            "sys.implementation.name": "cpython",
            "os.name": "posix",
            "platform.system()": host.platform.capitalize(),
            "platform.python_implementation()": "CPython",
            "typing.TYPE_CHECKING": False,
            "__name__": "__main__" if main else UNKNOWN,
        }
        self._main = main
        nodes = list(ast.walk(tree))
        self._aliases, self._modules = _aliases(nodes), _modules(nodes)
        for name, value in _assigned_once(tree, nodes).items():
            if (found := self.value(value)) is not UNKNOWN:
                self._values.setdefault(name, found)

    def path(self, node: ast.expr) -> str | None:
        """The full name of an imported module or of its attribute: ``os.path.join``; None for anything else."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        return self._path(node) if isinstance(root, ast.Name) and root.id in self._modules else None

    def template(self, node: ast.AST) -> str:
        """A text made by ``+``, ``%``, ``format`` or an f-string, a zero byte for each unknown part; else empty."""
        match node:
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self._text(left) + self._text(right)
            case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str(text)), right=right):
                return _filled(text, "%s", right.elts if isinstance(right, ast.Tuple) else [right], self._text)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"), args=parts):
                return _filled(text, "{}", parts, self._text)
            case ast.JoinedStr(values=parts):
                return "".join(map(self._text, parts))
        return ""

    def _text(self, node: ast.expr) -> str:
        if inner := self.template(node):
            return inner
        value = self.value(node.value if isinstance(node, ast.FormattedValue) else node)
        return value if isinstance(value, str) else "\0"

    def truth(self, node: ast.expr) -> bool | None:
        """True where the condition holds, False where it doesn't, None where only a run can tell."""
        value = self.value(node)
        return None if value is UNKNOWN else bool(value)

    def value(self, node: ast.expr) -> Any:  # noqa: PLR0911  # one for each kind
        """The value of the expression."""
        match node:
            case ast.Constant():
                return node.value
            case ast.Name() | ast.Attribute() | ast.Call():
                return self._named(node)
            case ast.Tuple() | ast.List() | ast.Set():
                values = tuple(self.value(each) for each in node.elts)
                return UNKNOWN if UNKNOWN in values else values
            case ast.UnaryOp(op=ast.Not()):
                truth = self.truth(node.operand)
                return UNKNOWN if truth is None else not truth
            case ast.BoolOp():
                return self._combined(node)
            case ast.Compare(left=left, ops=[only], comparators=[right]):
                return self._compared(left, only, right)
            case ast.Subscript():
                return self._part(node)
        return UNKNOWN

    def _combined(self, node: ast.BoolOp) -> Any:
        truths = [self.truth(each) for each in node.values]
        decisive = isinstance(node.op, ast.Or)
        if decisive in truths:
            return decisive
        return UNKNOWN if None in truths else not decisive

    def _compared(self, left: ast.expr, how: ast.cmpop, right: ast.expr) -> Any:
        if isinstance(left, ast.Name) and left.id == "__name__" and not self._main:
            is_main = isinstance(right, ast.Constant) and right.value == "__main__" and isinstance(how, ast.Eq)
            return False if is_main else UNKNOWN
        values = self.value(left), self.value(right)
        if UNKNOWN in values or type(how) not in _COMPARISONS:
            return UNKNOWN
        try:
            return _COMPARISONS[type(how)](*values)
        except TypeError:
            return UNKNOWN

    def _part(self, node: ast.Subscript) -> Any:
        whole = self.value(node.value)
        if not isinstance(whole, tuple | str):
            return UNKNOWN
        if isinstance(node.slice, ast.Slice):
            bounds = [None if each is None else self.value(each) for each in (node.slice.lower, node.slice.upper)]
            return UNKNOWN if UNKNOWN in bounds or node.slice.step else whole[bounds[0] : bounds[1]]
        index = self.value(node.slice)
        return whole[index] if isinstance(index, int) and -len(whole) <= index < len(whole) else UNKNOWN

    def _named(self, node: ast.expr) -> Any:
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr="startswith"), args=[prefix]):
                text, start = self.value(value), self.value(prefix)
                return text.startswith(start) if isinstance(text, str) and isinstance(start, str | tuple) else UNKNOWN
            case ast.Call(func=function, args=[], keywords=[]):
                return self._values.get(f"{self._path(function)}()", UNKNOWN)
        return self._values.get(self._path(node), UNKNOWN)

    def _path(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self._aliases.get(node.id) or self._modules.get(node.id, node.id)
        return f"{self._path(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def _filled(text: str, gap: str, parts: Sequence[ast.expr], words: Callable[[ast.expr], str]) -> str:
    first, *others = text.split(gap)
    if len(others) != len(parts):
        return ""
    return first + "".join(words(part) + other for part, other in zip(parts, others, strict=True))


def _aliases(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """The full names of imported names that are no modules: ``platform`` of ``from sys import platform``."""
    aliases: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            aliases.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module in {"sys", "os", "typing", "platform"}:
            aliases.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return aliases


def _modules(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """Imported names that may be modules -> their full names."""
    modules: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                modules[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return modules


def _assigned_once(tree: ast.Module, nodes: Iterable[ast.AST]) -> dict[str, ast.expr]:
    """The values of names that are bound once, at the top level, to something immutable."""
    values: dict[str, ast.expr] = {}
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                if not isinstance(value, ast.List | ast.Set):
                    values[name] = value
    if not values:
        return values
    bound = Counter(map(_bound, nodes))
    return {name: value for name, value in values.items() if bound[name] == 1}


def _bound(node: ast.AST) -> str | None:
    """The name that ``node`` binds, in any scope."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            return name
        case ast.alias():
            return node.asname or node.name.partition(".")[0]
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name
        case ast.ExceptHandler(name=bound) | ast.MatchAs(name=bound) | ast.MatchStar(name=bound):
            return bound
        case ast.MatchMapping(rest=bound):
            return bound
    return None
