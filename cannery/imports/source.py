"""Reads what one source says of other modules: its imports, and the strings that may name some."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from typing import TYPE_CHECKING

from cannery.imports.conditions import Conditions
from cannery.imports.extension import read_cython
from cannery.imports.main_only import only_for_main
from cannery.imports.model import Import, Mentions
from cannery.imports.module_getattr import module_getattr, names_compared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.imports.model import Host

__all__ = ["read_source"]

_LONGEST = 120  # letters of a module's name that is believed to be one
_DOTTED = re.compile(r"\.{0,2}[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?::[A-Za-z_][\w.]*)?|[A-Za-z_]\w*:[A-Za-z_][\w.]*")
_ASKED = re.compile(r"[A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)*")
_WORD = re.compile(r"\.?[A-Za-z_][\w-]*")
_BELOW = re.compile(r"((?:(?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)?)\.(?:[A-Za-z_]\w*)?)(?:%s|\{\w*\})?")
_AFTER = re.compile(r"\0((?:\.[A-Za-z_]\w*)+\.?)\0?")  # what follows a name that only a run can tell
_BEFORE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\.(?:[A-Za-z_]\w*)?)\0")

_IMPORTERS = {"import_module", "__import__", "find_spec", "importorskip"}  # take a module's name
# Calls that show that a module loads others by names which may stand anywhere in it
_LOADERS = {*_IMPORTERS, "attach", "entry_points", "iter_entry_points", "resolve_name", "load_module", "exec_module"}
_DISCOVERY = {"iter_modules", "walk_packages"}
_CODEC_CALLS = {
    "encode", "decode", "lookup", "getreader", "getwriter", "getencoder", "getdecoder", "getincrementalencoder",
    "getincrementaldecoder", "iterencode", "iterdecode", "str", "bytes", "bytearray",
}  # fmt: skip
_CODEC_NAMES = re.compile(r"(?:\w*_)?(?:encoding|charset|codec)s?", re.IGNORECASE)
_FAILURES = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def read_source(source: bytes, host: Host, *, main: bool = False) -> Mentions:
    """What ``source`` mentions; ``main`` says that it's run rather than imported.

    What isn't Python is as a module that can't be imported.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are the author's own affair
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        if host.version[:2] > sys.version_info[:2]:
            return read_cython(source)  # the syntax of a newer Python than this one: its imports look as ever
        return Mentions(refuses=True)
    conditions = Conditions(tree, host, main=main)
    reader = _StatementReader(conditions, tree)
    reader.block(tree.body, needed=True)
    return reader.mentions()


class _StatementReader:
    """Goes through a module's statements in order, leaving out what is never run."""

    def __init__(self, conditions: Conditions, tree: ast.Module) -> None:
        self._conditions = conditions
        self._main_only = only_for_main(tree, conditions)
        self._main_asked = tuple(sorted(name for name in self._main_only if not name.startswith("_")))
        self._lazily = module_getattr(tree)
        self._imports: list[Import] = []
        self._strings: set[str] = set()
        self._below: set[str] = set()
        self._after: set[str] = set()
        self._codecs: set[str] = set()
        self._exports: tuple[str, ...] = ()
        self._attributes: set[str] = set()
        self._asked: tuple[str, ...] = ()
        self._dynamic: list[int] = []
        self._loads = self._opens = self._discovers = self._refuses = self._stub = False
        self._unless: tuple[str, ...] = ()
        self._caught = 0  # try statements around, whose handlers may catch what is raised

    def mentions(self) -> Mentions:
        """What was found."""
        short = {text for text in self._strings if len(text) <= _LONGEST}
        return Mentions(
            imports=tuple(dict.fromkeys(self._imports)),
            dotted=frozenset(text for text in short if _DOTTED.fullmatch(text)),
            words=frozenset(text for text in short if _WORD.fullmatch(text)) if self._loads else frozenset(),
            below=frozenset((self._below if self._loads else set()) | ({"."} if self._discovers else set())),
            after=frozenset(self._after if self._loads else ()),
            opens=self._loads and self._opens,
            codecs=frozenset(self._codecs),
            exports=self._exports,
            attributes=frozenset(
                self._attributes | {text.replace(":", ".") for text in short if _ASKED.fullmatch(text)}
            ),
            dynamic=tuple(sorted(set(self._dynamic))),
            refuses=self._refuses,
            stub=self._stub,
        )

    def block(self, body: Iterable[ast.stmt], *, needed: bool) -> bool:
        """Read statements in order; False where nothing after them is run, as they raise an exception."""
        for statement in body:
            if isinstance(statement, ast.Raise | ast.Return):
                self._expression(statement)
                self._refuses |= needed and not self._caught and isinstance(statement, ast.Raise)
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
                self._assignment(node)
            case _ if not _is_docstring(node):
                self._expression(node)
        return True

    def _import(self, node: ast.Import | ast.ImportFrom, *, needed: bool) -> None:
        names = tuple(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = f"{node.module}." if node.module and not node.level else ""
            self._attributes.update(f"{base}{name}" for name in names)
            self._imports.append(Import(node.module or "", node.level, names, needed, self._unless, asked=self._asked))
        else:
            self._imports += [Import(name, needed=needed, unless=self._unless, asked=self._asked) for name in names]

    def _with(self, node: ast.With | ast.AsyncWith, *, needed: bool) -> None:
        for item in node.items:
            self._expression(item.context_expr)
        self.block(node.body, needed=needed and not any(map(_suppresses, node.items)))

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
        self.block(node.body, needed=needed and not guarded)
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
                self._codec(argument.arg, default)
                self._expression(default)
        if node is self._lazily:
            self._made_when_asked(node.body, node.args.args[0].arg)
        else:
            self.block(node.body, needed=False)

    def _made_when_asked(self, body: Iterable[ast.stmt], argument: str) -> None:
        """Read a module's ``__getattr__``: what stands below ``if name == "x"`` is run when somebody asks for x."""
        for statement in body:
            if isinstance(statement, ast.If) and (names := names_compared(statement.test, argument)):
                self._asked = names
                self.block(statement.body, needed=False)
                self._asked = ()
                self._made_when_asked(statement.orelse, argument)
            else:
                self.block([statement], needed=False)

    def _parts(self, node: ast.AST) -> None:
        """Read the statements and expressions in a loop or a match, none of which needs to be run."""
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
                self._codec(name, node.value)
                if name == "__all__":
                    self._exports += tuple(_strings_in(node.value))
                    return
            self._expression(target)
        if node.value is not None:
            self._expression(node.value)

    def _expression(self, node: ast.AST) -> None:
        """Read strings and calls, however deep they lie; a chosen side of a conditional expression is left to run."""
        pending: list[ast.AST] = [node]
        while pending:
            each = pending.pop()
            if isinstance(each, ast.Constant):
                if isinstance(each.value, str):
                    self._strings.add(each.value)
            elif isinstance(each, ast.Call):
                self._call(each)
                self._put_together(each)
                pending += [each.func, *each.args, *(keyword.value for keyword in each.keywords)]
            elif not isinstance(each, ast.Name):
                if isinstance(each, ast.Attribute):
                    self._attributes.add(self._conditions.path(each) or each.attr)
                self._put_together(each)
                pending += ast.iter_child_nodes(each)

    def _put_together(self, node: ast.AST) -> None:
        """Read what may be a module's name and what may not: a dot alone says too little."""
        text = self._conditions.template(node)
        if match := _AFTER.fullmatch(text):
            self._after.add(match[1])
        elif match := _BEFORE.fullmatch(text):
            self._below.add(match[1])
        elif "\0" not in text:
            self._strings.add(text)
        if (beginning := _beginning(node)) and beginning != ".":
            self._below.add(beginning)

    def _call(self, node: ast.Call) -> None:
        name = _last_name(node.func)
        self._getattr(node)
        for keyword in node.keywords:
            self._codec(keyword.arg or "", keyword.value)
        if name in _CODEC_CALLS:
            for argument in node.args:
                self._codec("encoding", argument)
        self._loads |= name in _LOADERS
        self._stub |= name == "attach_stub"
        if name in _DISCOVERY:
            self._opens = True
            self._discovers |= not node.args or any(_mentions_own_place(each) for each in (*node.args, *node.keywords))
        if name in _IMPORTERS and node.args:
            self._import_call(node)

    def _getattr(self, node: ast.Call) -> None:
        """A name that can't be read may be that of any attribute."""
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, asked, *_]) if not isinstance(asked, ast.Constant):
                if path := self._conditions.path(owner):
                    self._attributes.add(f"{path}.*")

    def _import_call(self, node: ast.Call) -> None:
        first = node.args[0]
        if not isinstance(first, ast.Constant):
            if beginning := _beginning(first):
                self._below.add(beginning)
            elif "\0" in (self._conditions.template(first) or "\0") and not self._begins(first):
                self._dynamic.append(node.lineno)
        elif isinstance(first.value, str) and (match := re.fullmatch(r"(\.*)([\w.]+)", first.value)):
            package = node.args[1] if len(node.args) > 1 else None
            keywords = {keyword.arg: keyword.value for keyword in node.keywords}
            package = keywords.get("package", package)
            if match[1] and isinstance(package, ast.Constant) and isinstance(package.value, str):
                self._imports.append(Import(f"{package.value}.{match[2]}", by_name=True))
            else:
                names = tuple(_strings_in(keywords.get("fromlist")))
                self._imports.append(Import(match[2], len(match[1]), names, by_name=True, unless=self._unless))

    def _begins(self, node: ast.expr) -> bool:
        """Whether it's known what a text that is put together begins with."""
        return _BEFORE.fullmatch(self._conditions.template(node)) is not None

    def _codec(self, name: str, value: ast.expr) -> None:
        match value:
            case ast.Constant(value=str(text)) if _CODEC_NAMES.fullmatch(name):
                self._codecs.add(text)
            case ast.BoolOp(values=choices):
                for each in choices:
                    self._codec(name, each)
            case ast.IfExp(body=choice, orelse=other):
                self._codec(name, choice)
                self._codec(name, other)


def _beginning(node: ast.AST) -> str | None:
    """What stands before the name in ``"package." + name``, ``"package.%s" % name`` or ``f"package.prefix_{name}"``."""
    text: object = None
    match node:
        case (
            ast.BinOp(left=ast.Constant(value=text))
            | ast.JoinedStr(values=[ast.Constant(value=text), *_])
            | ast.Call(func=ast.Attribute(value=ast.Constant(value=text), attr="format"))
        ):
            pass
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value="."), attr="join"),
            args=[
                ast.List(elts=[ast.Constant(value=str(package)), *_])
                | ast.Tuple(elts=[ast.Constant(value=str(package)), *_])
            ],
        ):
            text = f"{package}."
    found = _BELOW.fullmatch(text) if isinstance(text, str) else None
    return found[1] if found else None


def _catches_failed_import(handler: ast.ExceptHandler) -> bool:
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or _last_name(each) in _FAILURES for each in names)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    return (
        isinstance(call, ast.Call)
        and _last_name(call.func) == "suppress"
        and any(_last_name(each) in _FAILURES for each in call.args)
    )


def _imported_from(body: list[ast.stmt]) -> tuple[str, ...]:
    """The modules that a block imports, when it does nothing else."""
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


def _mentions_own_place(node: ast.AST) -> bool:
    return any(
        isinstance(each, ast.Name) and each.id in {"__path__", "__file__", "__name__", "__package__"}
        for each in ast.walk(node)
    )


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _strings_in(node: ast.AST | None) -> Iterator[str]:
    for each in ast.walk(node) if node is not None else ():
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
