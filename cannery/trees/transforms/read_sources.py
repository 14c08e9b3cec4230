"""Sources that programs read while they run: found by the names that other sources have of them, and by who reads."""

from __future__ import annotations

import ast
import posixpath
import re
from typing import TYPE_CHECKING

from cannery.project.app import HOME
from cannery.python.grammar import NoPythonError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.image.tree import File

__all__ = [
    "finding_lines",
    "lines_about_callers",
    "named_sources",
    "opening_lines",
    "reading_lines",
    "reading_lines_at_import",
]

# A file's name, or the end of its path: open(here / "config.py"), run_path(f"{here}/config.py")
_NAMED = re.compile(rb"""["'/]([\w.-]+(?:/[\w.-]+)*\.py)["']""")
_TESTS = {"test", "tests"}  # folders that no program imports
_SELDOM_READ = {"__init__.py", "__main__.py"}  # what compares names of files has these in it
_READERS = ("findsource", "getsource", "getsourcelines")  # of inspect
_READS = re.compile(rb"\b(?:%s)\b" % "|".join(_READERS).encode())
_OPENERS = ("detect_encoding", "open")  # of tokenize
_CAUGHT = {"OSError", "IOError", "Exception", "BaseException"}


def named_sources(sources: Mapping[str, File]) -> set[str]:
    """Those of ``sources`` that another one in their folder, or of the app, names by their files' names.

    Programs open such a file, run it in another process, or execute it: its bytecode is no use to them.
    """
    programs = ((path, file) for path, file in sources.items() if not _is_test(path))
    return {target for path, file in programs for target in _named(path, file) if target in sources}


def _is_test(path: str) -> bool:
    folders, name = path.split("/")[:-1], posixpath.basename(path)
    return name.startswith("test_") or name.endswith("_test.py") or not _TESTS.isdisjoint(folders)


def _named(path: str, file: File) -> Iterator[str]:
    with file.content.open() as stream:
        found = set(_NAMED.findall(stream.read()))
    folders = (posixpath.dirname(path), *([str(HOME)] if path.startswith(f"{HOME}/") else []))
    for name in found:
        text = name.decode()
        if posixpath.basename(text) not in _SELDOM_READ:
            targets = (posixpath.normpath(posixpath.join(folder, text)) for folder in folders)
            yield from (target for target in targets if target != path)


def reading_lines(file: File) -> list[int]:
    """The lines of a source that read sources by ``inspect`` and don't go on where there are none."""
    return _lines(file, at_import=False)


def reading_lines_at_import(file: File) -> list[int]:
    """Those of the :func:`reading_lines` that are run when the module is imported: it can't be without sources."""
    return _lines(file, at_import=True)


def _lines(file: File, *, at_import: bool) -> list[int]:
    with file.content.open() as stream:
        source = stream.read()
    if _READS.search(source) is None:
        return []
    try:
        return sorted(_reads(parse(source), caught=False, at_import=at_import))
    except NoPythonError:
        return []


def lines_about_callers(file: File) -> list[int]:
    """The lines of a source that take the line which called it for there: ``getframeinfo(frame)[3][0]``."""
    return sorted(line for node in _nodes(file, b"getframeinfo") for line in _takes_context(node))


def finding_lines(file: File) -> list[int]:
    """The lines of a source that ask where a module lies: ``find_spec(name)``."""
    calls = (each for each in _nodes(file, b"find_spec") if isinstance(each, ast.Call))
    return sorted(call.lineno for call in calls if _called(call) == "find_spec")


def opening_lines(file: File) -> list[int]:
    """The lines of a source that open other sources, by ``tokenize``: ``detect_encoding(stream.readline)``."""
    nodes = _nodes(file, b"tokenize")
    openers = {f"tokenize.{name}" for name in _OPENERS}.union(*map(_imported_openers, nodes))
    return sorted(each.lineno for each in nodes if isinstance(each, ast.Call) and ast.unparse(each.func) in openers)


def _nodes(file: File, word: bytes) -> list[ast.AST]:
    """All nodes of a source that has ``word`` in it."""
    with file.content.open() as stream:
        source = stream.read()
    try:
        return list(ast.walk(parse(source))) if word in source else []
    except NoPythonError:
        return []


def _called(call: ast.Call) -> str:
    """The name of the function or the method that is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _imported_openers(node: ast.AST) -> set[str]:
    match node:
        case ast.ImportFrom(module="tokenize", names=names, level=0):
            return {each.asname or each.name for each in names if each.name in _OPENERS}
    return set()


def _takes_context(node: ast.AST) -> Iterator[int]:
    """The line of an index into the context of a frame (inspect.Traceback), which is None where there is no source."""
    match node:
        case ast.Subscript(
            value=ast.Subscript(slice=ast.Constant(value=3)) | ast.Attribute(attr="code_context"), slice=ast.Constant()
        ):
            yield node.lineno


def _reads(node: ast.AST, *, caught: bool, at_import: bool) -> Iterator[int]:
    match node:
        case ast.Try():
            inside = caught or any(map(_goes_on, node.handlers))
            for statement in (*node.body, *node.orelse):
                yield from _reads(statement, caught=inside, at_import=at_import)
            for other in (*node.handlers, *node.finalbody):
                yield from _reads(other, caught=caught, at_import=at_import)
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() if at_import:
            return
        case ast.If(test=test) if at_import and "__name__" in map(_name, ast.walk(test)):  # it's run as a program
            return
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), lineno=line) if name in _READERS:
            yield from [] if caught else [line]
    for part in ast.iter_child_nodes(node):
        yield from _reads(part, caught=caught, at_import=at_import)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """True for a handler that catches what ``inspect`` raises, and raises nothing itself."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {kind.id if isinstance(kind, ast.Name) else getattr(kind, "attr", "Exception") for kind in kinds}
    return not names.isdisjoint(_CAUGHT) and not any(isinstance(each, ast.Raise) for each in ast.walk(handler))
