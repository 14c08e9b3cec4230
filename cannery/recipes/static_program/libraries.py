"""Shared libraries that code opens by ctypes and an executable lacks: refused where the program would fail."""

from __future__ import annotations

import ast
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from cannery.elf.closure import MUSL_ITSELF
from cannery.errors import ProjectError
from cannery.image.tree import File
from cannery.imports.conditions import Conditions
from cannery.project.app import HOME
from cannery.python.grammar import NoPythonError, parse
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cannery.imports.model import Host, Reach
    from cannery.imports.places import Place
    from cannery.workspace.workspace import Workspace

__all__ = ["check_libraries", "library_calls"]

_OPENERS: Final = {"CDLL", "LoadLibrary", "PyDLL"}
_CAUGHT: Final = {"OSError", "Exception", "BaseException"}
_SHOWN: Final = 4  # lines in a note


@dataclass(frozen=True, slots=True)
class LibraryCall:
    """A call that opens a shared library."""

    name: str  # of the library's file; empty where only a run can tell it
    line: int
    guarded: bool  # something catches its failure
    deferred: bool  # it's run when a function is called, or where a condition holds


def check_libraries(
    places: Sequence[Place],
    reach: Reach,
    host: Host,
    workspace: Workspace,
    *,
    allowed: Iterable[str] = (),
    script: str | None = None,
) -> tuple[str, ...]:
    """A note on the lines of reached modules that open shared libraries, and that the program may never come to.

    Raises :class:`ProjectError` for one that is run when its module is imported, unless only functions or strings of
    dependencies lead there, and for any of the app's own code, unless something catches its failure, or ``allowed``
    names the library; the C library is the program itself.
    ``script`` is the path of what is run.
    """
    modules = [each for each in reach.modules.values() if each.kind == "source" and each.place != "stdlib"]
    paths = {module.path: module.place for module in sorted(modules, key=lambda each: each.path)}
    trees, about = [place.tree.key for place in places], msgspec.to_builtins(host, order="sorted")
    key = key_of("library calls", code_key(__name__), trees, paths, about, script)
    known = workspace.cache.recall("library-calls", key)
    if known is None:
        known = {path: [astuple(call) for call in _calls_in(path, places, host, main=path == script)] for path in paths}
        workspace.cache.remember("library-calls", key, {path: calls for path, calls in known.items() if calls})
    calls = [(path, LibraryCall(*each)) for path, found in known.items() for each in found]
    there = [each.name in allowed or MUSL_ITSELF.match(each.name) for _, each in calls]
    open_ones = [call for call, is_there in zip(calls, there, strict=True) if not call[1].guarded and not is_there]
    spared = _alternatives(reach) | {reach.modules[name].path for name in reach.deferred}
    refused = [
        (path, each)
        for path, each in open_ones
        if path not in spared and (not each.deferred or (paths[path] == "app" and each.name))
    ]
    if refused:
        raise _refusal(refused)
    return _notes([_line(path, each) for path, each in open_ones])


def _alternatives(reach: Reach) -> set[str]:
    """The paths of modules that are imported only where an extension module isn't there, and it is.

    On the way to them somebody does without the next, and leads to the extension module, too.
    """
    native = (name for name, module in reach.modules.items() if module.kind == "extension")
    leading = {step for name in native for step, _ in reach.why(name)}
    optional = frozenset(reach.optional) - leading

    def is_spared(name: str) -> bool:
        return any(step in optional and reason.importer in leading for step, reason in reach.why(name))

    return {module.path for name, module in reach.modules.items() if is_spared(name)} if leading else set()


def _line(path: str, call: LibraryCall) -> str:
    return f"{path.removeprefix(f'{HOME}/')}:{call.line}"


def library_calls(tree: ast.Module, conditions: Conditions) -> Iterator[LibraryCall]:
    """The calls in a module that open shared libraries, in their order, but for those in conditions that don't hold."""
    return _in_block(tree.body, conditions, guarded=False, deferred=False)


def _in_block(
    body: Iterable[ast.AST], conditions: Conditions, *, guarded: bool, deferred: bool
) -> Iterator[LibraryCall]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                inner = [node.body] if isinstance(node, ast.Lambda) else node.body
                yield from _in_block(inner, conditions, guarded=guarded, deferred=True)
            case ast.If(test=test):
                truth = conditions.truth(test)
                for part, runs in ((node.body, truth is not False), (node.orelse, truth is not True)):
                    later = deferred or truth is None
                    yield from _in_block(part if runs else (), conditions, guarded=guarded, deferred=later)
            case ast.Try() | ast.TryStar():
                caught = guarded or any(map(_catches, node.handlers))
                yield from _in_block([*node.body, *node.orelse], conditions, guarded=caught, deferred=deferred)
                handled = [each for handler in node.handlers for each in handler.body]
                yield from _in_block(handled, conditions, guarded=guarded, deferred=True)
                yield from _in_block(node.finalbody, conditions, guarded=guarded, deferred=deferred)
            case _:
                if isinstance(node, ast.Call) and _opens(node):
                    yield LibraryCall(_file_name(node.args[0], conditions), node.lineno, guarded, deferred)
                less = guarded or (isinstance(node, ast.With) and any(map(_suppresses, node.items)))
                yield from _in_block(ast.iter_child_nodes(node), conditions, guarded=less, deferred=deferred)


def _file_name(node: ast.expr, conditions: Conditions) -> str:
    """The name of a file at the end of a path; empty where only a run can tell it."""
    match node:
        case ast.Call(args=[ast.Constant(value=str(found))]) if _last_name(node.func) == "find_library":
            return f"lib{found}.so"
    value = conditions.value(node)
    name = (value if isinstance(value, str) else conditions.template(node)).rpartition("/")[2]
    return "" if "\0" in name else name


def _calls_in(path: str, places: Sequence[Place], host: Host, *, main: bool) -> list[LibraryCall]:
    source = next((_text(place, path) for place in places if path in place.tree.tree), b"")
    if not any(opener.encode() in source for opener in _OPENERS):
        return []
    try:
        tree = parse(source)
    except NoPythonError:  # of a newer grammar
        return []
    return [*library_calls(tree, Conditions(tree, host, main=main))]


def _text(place: Place, path: str) -> bytes:
    entry = place.tree.tree.entries[path]
    if not isinstance(entry, File):
        return b""
    with entry.content.open() as stream:
        return stream.read()


def _opens(call: ast.Call) -> bool:
    """True for a call with a library's name; without, ctypes means the program itself."""
    match call.args:
        case [ast.Constant(value=None), *_] | []:
            return False
    return _last_name(call.func) in _OPENERS


def _catches(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or _last_name(kind) in _CAUGHT for kind in kinds)


def _suppresses(item: ast.withitem) -> bool:
    match item.context_expr:
        case ast.Call(func=function, args=arguments) if _last_name(function) == "suppress":
            return not _CAUGHT.isdisjoint(map(_last_name, arguments))
    return False


def _last_name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _refusal(refused: Sequence[tuple[str, LibraryCall]]) -> ProjectError:
    (path, call), *others = refused
    names = sorted({each.name for _, each in refused if each.name})
    without = f"; or, where the program goes on without, set  [tool.cannery]  allow-missing = {names}" if names else ""
    what = f"{_line(path, call)} opens {call.name or 'a shared library'} by ctypes"
    return ProjectError(
        f"{what}, and the executable has no such library",
        evidence="\n".join(f"{_line(other, each)} opens {each.name or 'another'}" for other, each in others),
        step=f"take the recipe tiny or scratch{without}",
    )


def _notes(lines: Sequence[str]) -> tuple[str, ...]:
    if not lines:
        return ()
    more = f", and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    said = "opens a shared library by ctypes that isn't in the executable"
    return (f"{', '.join(lines[:_SHOWN])}{more}: {said}: take the recipe tiny or scratch if the program comes there",)
