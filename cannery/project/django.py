"""A Django project: ``manage.py``, the settings that it names, and the applications that those name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from cannery.project.app import Application

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.project.own_code import OwnCode

__all__ = ["MANAGE", "django_applications"]

MANAGE: Final = "manage.py"
_VARIABLE: Final = "DJANGO_SETTINGS_MODULE"


def django_applications(own: OwnCode) -> tuple[Application, ...] | None:
    """The applications of the Django project, the likeliest first; None where it's no such project."""
    path = own.folder / MANAGE
    tree = own.tree(path) if path.is_file() else None
    if tree is None or "execute_from_command_line" not in set(_names(tree)):
        return None
    module = next(_settings_modules(tree), "")
    settings = own.source_of(module)
    named = {} if settings is None else dict(_strings(own.tree(settings)))
    kinds = ("asgi", "wsgi") if "ASGI_APPLICATION" in named else ("wsgi", "asgi")
    found = (_application(own, module, kind, named.get(f"{kind.upper()}_APPLICATION", "")) for kind in kinds)
    return tuple(each for each in found if each is not None)


def _application(own: OwnCode, settings: str, kind: str, named: str) -> Application | None:
    """The application of a kind: the one that the settings name, or the one beside them or above."""
    reference = named.rpartition(".")
    places = [(reference[0], reference[2])] if named else []
    package = settings.rpartition(".")[0]
    while package:
        places.append((f"{package}.{kind}", "application"))
        package = package.rpartition(".")[0]
    for module, attribute in places:
        source = own.source_of(module)
        if source is not None and attribute in own.bindings(source):
            origin = own.origin(source, attribute) or kind
            return Application(module, attribute, source.relative_to(own.folder).as_posix(), origin)
    return None


def _settings_modules(tree: ast.Module) -> Iterator[str]:
    """The modules that ``os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)`` and the like name."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(args=[ast.Constant(value=name), ast.Constant(value=str(module))]) if name == _VARIABLE:
                yield module
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=name))], value=ast.Constant(value=str(it))):
                if name == _VARIABLE:
                    yield it


def _strings(tree: ast.Module | None) -> Iterator[tuple[str, str]]:
    for node in tree.body if tree is not None else ():
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(value))):
                yield name, value


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            yield node.name
        elif isinstance(node, ast.Attribute):
            yield node.attr
