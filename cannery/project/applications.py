"""What a script does when it's run, told by its source: whether it starts anything, and which applications it defines.

A script that only defines things ends at once, and says nothing. Where it defines an application, a server is to be
started with that.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

import msgspec

from cannery.project.app import Application

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cannery.project.own_code import OwnCode

__all__ = ["ScriptReading", "application_called", "applications", "read_script"]

# Names that applications have by convention, and functions that make one; the first goes before the others.
_NAMES: Final = ("app", "application", "api", "asgi", "wsgi", "asgi_app", "wsgi_app", "server")
_FACTORIES: Final = ("create_app", "make_app", "get_app", "build_app", "create_application", "make_application")
_STARTING: Final = {"exit", "launch", "listen", "main", "run", "serve"}
_LOCAL: Final = ("uvicorn",)  # modules of servers whose function run listens on 127.0.0.1
_DEFINITIONS: Final = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass)


class ScriptReading(msgspec.Struct, frozen=True):
    """What a script does when it's run."""

    defines: tuple[str, ...]  # functions, classes, and names of what calls return
    calls: tuple[ast.Call, ...]  # whose results nobody takes
    guarded: tuple[ast.Call, ...]  # the same, where it's run and not imported
    acts: bool  # something else than definitions and these calls

    @property
    def starts_nothing(self) -> bool:
        """True where it does nothing but define things."""
        return bool(self.defines) and not (self.calls or self.guarded or self.acts)

    @property
    def starting(self) -> tuple[ast.Call, ...]:
        """The calls that are known to start something; others may set up what it defines."""
        return self.guarded or tuple(call for call in self.calls if _starts(call))

    def unheard(self, applications: Iterable[Application]) -> int:
        """The line of a server's start that names no address, where the default is that of the machine alone; or 0."""
        names = {*(each.attribute for each in applications), *_LOCAL}
        for call in self.starting:
            named = bool(call.args) and not any(_is_run_of(call, name) for name in _LOCAL)
            if any(_is_run_of(call, name) for name in names) and not named:
                return 0 if {"host", None} & {keyword.arg for keyword in call.keywords} else call.lineno
        return 0

    def serves(self, applications: Iterable[Application]) -> bool:
        """True where all that it starts is the own server of an application, which frameworks have for development."""
        calls = self.starting
        return len(calls) == 1 and any(_is_run_of(calls[0], each.attribute) for each in applications)


def read_script(tree: ast.Module) -> ScriptReading:
    """What the script does."""
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    statements = list(_statements(tree.body))
    made = [name for statement in statements if _makes(statement) for name in _assigned(statement)]
    calls = [call for statement in statements if (call := _call(statement)) is not None]
    guarded = [call for guard in _guards(tree.body) for part in _statements(guard.body) if (call := _any_call(part))]
    return ScriptReading(
        tuple(dict.fromkeys([*made, *sorted(functions), *classes])),
        tuple(calls),
        tuple(guarded),
        any(_acts(statement, functions) for statement in statements),
    )


def applications(own: OwnCode, path: Path, *, usual: bool = False) -> tuple[Application, ...]:
    """The objects in a module that may be applications, the likeliest first, and functions that make one.

    Where only the ``usual`` are asked for, they are those with names that applications have.
    """
    found = own.bindings(path)
    names = sorted(found, key=lambda name: _NAMES.index(name) if name in _NAMES else len(_NAMES))
    likely = [name for name in names if name in _NAMES or (isinstance(found[name], ast.Call) and not usual)]
    objects = [_application(own, path, name, own.origin(path, name)) for name in likely]
    made = [
        _application(own, path, name, own.made_by(path, name), factory=True) for name in _FACTORIES if name in found
    ]
    parts = ("Router", "Blueprint")  # of an application
    return tuple(each for each in (*objects, *made) if each.origin and not each.origin.endswith(parts))


def application_called(own: OwnCode, module: str, attribute: str) -> Application | None:
    """The object that is called so, as far as it may be an application, and is no function to be called."""
    path = own.source_of(module)
    if path is None or attribute not in own.bindings(path):
        return None
    found = _application(own, path, attribute, own.origin(path, attribute))
    return found if found.origin else None


def _application(own: OwnCode, path: Path, name: str, origin: str, *, factory: bool = False) -> Application:
    return Application(own.name_of(path), name, _place(own, path, own.bindings(path)[name]), origin, factory)


def _place(own: OwnCode, path: Path, found: object) -> str:
    shown = path.relative_to(own.folder).as_posix()
    return f"{shown}:{found.lineno}" if isinstance(found, ast.expr | ast.stmt) else shown


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module does, but for those in its functions and behind a guard."""
    for node in body:
        if isinstance(node, ast.If) and (_is_guard(node) or _is_for_types(node)):
            yield from _statements(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For):
            handlers = [each for handler in getattr(node, "handlers", ()) for each in handler.body]
            rest = [*getattr(node, "orelse", ()), *getattr(node, "finalbody", ())]
            yield from _statements([*node.body, *handlers, *rest])
        else:
            yield node


def _guards(body: Iterable[ast.stmt]) -> list[ast.If]:
    return [node for node in body if isinstance(node, ast.If) and _is_guard(node)]


def _is_guard(node: ast.If) -> bool:
    """True for ``if __name__ == "__main__":``."""
    names = {each.id for each in ast.walk(node.test) if isinstance(each, ast.Name)}
    return "__name__" in names


def _is_for_types(node: ast.If) -> bool:
    return any(getattr(each, "id", getattr(each, "attr", "")) == "TYPE_CHECKING" for each in ast.walk(node.test))


def _call(statement: ast.stmt) -> ast.Call | None:
    value = statement.value if isinstance(statement, ast.Expr) else None
    value = value.value if isinstance(value, ast.Await) else value
    return value if isinstance(value, ast.Call) else None


def _any_call(statement: ast.stmt) -> ast.Call | None:
    """A call in the statement, whatever is done with its result: ``raise SystemExit(main())``."""
    if isinstance(statement, _DEFINITIONS):
        return None
    return _call(statement) or next((node for node in ast.walk(statement) if isinstance(node, ast.Call)), None)


def _assigned(statement: ast.stmt) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name) and not target.id.startswith("__")]


def _makes(statement: ast.stmt) -> bool:
    """True where a name gets what a call returns: no constant."""
    return isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Call)


def _acts(statement: ast.stmt, functions: set[str]) -> bool:
    """True for what is neither a definition nor a bare call; the value of a name may come from a function that acts."""
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = _assigned(statement)
        value = statement.value
        own = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in functions
        return own and not any(name in _NAMES for name in targets)
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant | ast.Call)
    return not isinstance(statement, (*_DEFINITIONS, ast.AugAssign, ast.Delete, ast.Global))


def _starts(call: ast.Call) -> bool:
    """True for a call that is known to start something by its name."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _STARTING or name.startswith(("run_", "serve_"))
    return False


def _is_run_of(call: ast.Call, name: str) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id=owner), attr="run"):
            return owner == name
    return False
