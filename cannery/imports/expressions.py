"""Expressions read: the calls that load modules, and the strings that may name some."""

from __future__ import annotations

import ast
import re
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

from cannery.imports.model import Import

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.imports.conditions import Conditions
    from cannery.imports.found import Gathered

__all__ = ["ExpressionReader", "last_name", "strings_in"]

_BELOW = re.compile(r"((?:(?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)?)\.(?:[A-Za-z_]\w*)?)(?:%s|\{\w*\})?")
_AFTER = re.compile(r"\0((?:\.[A-Za-z_]\w*)+\.?)\0?")  # a suffix of a name that only a run can tell
_PACKAGE_AND_MODULE = "\0.\0"
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_BEFORE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\.(?:[A-Za-z_]\w*)?)\0")

_IMPORTERS = {"import_module", "__import__", "find_spec", "importorskip"}  # functions that take a module's name
# Functions whose call shows that a module loads others by names, which may stand anywhere in it
_LOADERS = {*_IMPORTERS, "attach", "entry_points", "iter_entry_points", "resolve_name", "load_module", "exec_module"}
_OWN_PLACE = {"__file__", "__path__"}
_DISCOVERY = {"iter_modules", "walk_packages"}
_CODEC_CALLS = {
    "encode", "decode", "lookup", "getreader", "getwriter", "getencoder", "getdecoder", "getincrementalencoder",
    "getincrementaldecoder", "iterencode", "iterdecode", "str", "bytes", "bytearray",
}  # fmt: skip
_CODEC_NAMES = re.compile(r"(?:\w*_)?(?:encoding|charset|codec)s?", re.IGNORECASE)


class ExpressionReader:
    """Notes in ``found`` what expressions of one module say of other modules."""

    def __init__(self, conditions: Conditions, found: Gathered) -> None:
        self._conditions = conditions
        self._found = found

    def read(self, node: ast.AST, unless: tuple[str, ...] = ()) -> None:
        """Read the strings and calls in ``node``, at any depth; both sides of a conditional expression count.

        ``unless`` is that of the imports found: :attr:`Import.unless`.
        """
        pending: list[ast.AST] = [node]
        while pending:
            each = pending.pop()
            if isinstance(each, ast.Name):
                self._found.beside |= each.id in _OWN_PLACE
            elif isinstance(each, ast.Constant):
                if isinstance(each.value, str):
                    self._found.strings.add(each.value)
            elif isinstance(each, ast.Call):
                self._call(each, unless)
                self._command(each.args)
                self._put_together(each)
                pending += [each.func, *each.args, *(keyword.value for keyword in each.keywords)]
            else:
                if isinstance(each, ast.Attribute):
                    self._found.attributes.add(self._conditions.path(each) or each.attr)
                elif isinstance(each, ast.List | ast.Tuple):
                    self._command(each.elts)
                self._put_together(each)
                pending += ast.iter_child_nodes(each)

    def _command(self, words: list[ast.expr]) -> None:
        """Read the words of a command that has Python run a module: ``[sys.executable, "-m", "package"]``."""
        for pair in pairwise(words):
            match pair:
                case ast.Constant(value="-m"), ast.Constant(value=str(name)) if _MODULE.fullmatch(name):
                    run = Import(name, names=("__main__",), by_name=True, guarded=True)
                    self._found.imports += [run, Import("runpy", by_name=True, guarded=True)]

    def _put_together(self, node: ast.AST) -> None:
        """Read a text that is put together, as a name, its beginning, or its end; a dot alone says too little."""
        text = self._conditions.template(node)
        if match := _AFTER.fullmatch(text):
            self._found.after.add(match[1])
        elif match := _BEFORE.fullmatch(text):
            self._found.below.add(match[1])
        elif "\0" not in text:
            self._found.strings.add(text)
        if (beginning := _beginning(node)) and beginning != ".":
            self._found.below.add(beginning)

    def _call(self, node: ast.Call, unless: tuple[str, ...]) -> None:
        name = last_name(node.func)
        self._attribute_asked(node)
        for keyword in node.keywords:
            self.codec(keyword.arg or "", keyword.value)
        if name in _CODEC_CALLS:
            for argument in node.args:
                self.codec("encoding", argument)
        self._found.loads |= name in _LOADERS
        self._found.stub |= name == "attach_stub"
        if name in _DISCOVERY:
            self._found.opens = True
            given = (*node.args, *node.keywords)
            self._found.discovers |= not node.args or any(map(_mentions_own_place, given))
            self._found.listed.update(package for each in given for package in self._packages_listed(each))
        if name in _IMPORTERS and node.args:
            self._import_call(node, unless)
        else:
            self._handed_on(node)

    def _packages_listed(self, node: ast.AST) -> Iterator[str]:
        """The packages in whose folders is looked: ``plugins`` for ``plugins.__path__``."""
        owners = (each.value for each in ast.walk(node) if isinstance(each, ast.Attribute) and each.attr == "__path__")
        yield from filter(None, map(self._conditions.path, owners))

    def _handed_on(self, node: ast.Call) -> None:
        """Read words that are given to functions of other distributions, which may load modules of that name."""
        words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if words and self._found.place != "stdlib" and (path := self._conditions.path(node.func)):
            top, _, function = path.partition(".")
            if function and top not in sys.stdlib_module_names:
                function = function.rpartition(".")[2]
                self._found.handed.update(f"{function}:{word}" for word in words if word.isidentifier())

    def _attribute_asked(self, node: ast.Call) -> None:
        """Read ``getattr(module, name)``: where only a run can tell the name, any attribute is asked for."""
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, asked, *_]) if not isinstance(asked, ast.Constant):
                if path := self._conditions.path(owner):
                    self._found.attributes.add(f"{path}.*")

    def _import_call(self, node: ast.Call, unless: tuple[str, ...]) -> None:
        first, guarded = node.args[0], self._found.guards > 0
        if self._found.function and self._conditions.template(first) == _PACKAGE_AND_MODULE:
            self._found.joins.add(self._found.function)
        if not isinstance(first, ast.Constant):
            if beginning := _beginning(first):
                self._found.below.add(beginning)
            elif "\0" in (self._conditions.template(first) or "\0") and not self._begins(first):
                self._found.dynamic.append(node.lineno)
        elif isinstance(first.value, str) and (match := re.fullmatch(r"(\.*)([\w.]+)", first.value)):
            package = node.args[1] if len(node.args) > 1 else None
            keywords = {keyword.arg: keyword.value for keyword in node.keywords}
            package = keywords.get("package", package)
            if match[1] and isinstance(package, ast.Constant) and isinstance(package.value, str):
                imported = Import(f"{package.value}.{match[2]}", by_name=True, guarded=guarded)
            else:
                names = tuple(strings_in(keywords.get("fromlist")))
                imported = Import(match[2], len(match[1]), names, by_name=True, unless=unless, guarded=guarded)
            self._found.imports.append(imported)

    def _begins(self, node: ast.expr) -> bool:
        """True where the beginning of a text that is put together is known, and is that of a module's name."""
        return _BEFORE.fullmatch(self._conditions.template(node)) is not None

    def codec(self, name: str, value: ast.expr) -> None:
        """Read ``value`` as the name of an encoding, if ``name`` is that of a variable or parameter for encodings."""
        match value:
            case ast.Constant(value=str(text)) if _CODEC_NAMES.fullmatch(name):
                self._found.codecs.add(text)
            case ast.BoolOp(values=choices):
                for each in choices:
                    self.codec(name, each)
            case ast.IfExp(body=choice, orelse=other):
                self.codec(name, choice)
                self.codec(name, other)
            case ast.Name() | ast.Attribute() if _CODEC_NAMES.fullmatch(name):
                if isinstance(text := self._conditions.value(value), str):
                    self._found.codecs.add(text)


def _beginning(node: ast.AST) -> str | None:
    """``package.`` of ``"package." + name`` and ``"package.%s" % name``, ``package.a_`` of ``f"package.a_{name}"``."""
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


def _mentions_own_place(node: ast.AST) -> bool:
    return any(
        isinstance(each, ast.Name) and each.id in {"__path__", "__file__", "__name__", "__package__"}
        for each in ast.walk(node)
    )


def last_name(node: ast.expr) -> str:
    """``c`` of ``a.b.c`` and of ``c``; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def strings_in(node: ast.AST | None) -> Iterator[str]:
    """The strings in an expression, as they come."""
    for each in ast.walk(node) if node is not None else ():
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
