"""The code of wheels, as far as it decides what an app starts: scripts, modules, servers, what is an application."""

from __future__ import annotations

import ast
import configparser
import posixpath
import re
import sys
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError, ProjectError, did_you_mean
from cannery.image.content import OnDisk
from cannery.image.tree import File
from cannery.project.app import NamedEntry
from cannery.project.modules import packages_in
from cannery.project.own_code import OwnCode
from cannery.project.servers import SERVERS
from cannery.trees.wheels import scripts_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from cannery.image.tree import LazyTree
    from cannery.project.app import App, Application, ApplicationEntry
    from cannery.workspace.workspace import Workspace

__all__ = ["WheelCode"]

_PYTHON: Final = re.compile(rb"#!.*\bpython")


class WheelCode(OwnCode):
    """The code of the wheels, read as the project's own is."""

    def __init__(self, app: App, wheels: LazyTree, site_packages: str, workspace: Workspace) -> None:
        super().__init__(app.folder, ())
        self._app = app
        self._site = site_packages
        self._tree = wheels.tree
        self._bin = scripts_folder(wheels, workspace)
        self._names: dict[Path, str] = {}

    def source_of(self, module: str) -> Path | None:
        """The source of the module among the wheels."""
        path = f"{self._site}/{module.replace('.', '/')}"
        for candidate in (f"{path}/__init__.py", f"{path}.py"):
            entry = self._tree.entries.get(candidate)
            if isinstance(entry, File) and isinstance(entry.content, OnDisk):
                self._names[entry.content.path] = module
                return entry.content.path
        return None

    def name_of(self, path: Path) -> str:
        """The name of the module whose source :meth:`source_of` has found."""
        return self._names[path]

    def named(self, entry: NamedEntry) -> dict[str, Any]:
        """What the wheels have under the name, in JSON's types."""
        scripts = dict(self._scripts())
        if ":" in entry.name:
            return self._function(entry)
        if not entry.module and entry.name in scripts:
            module, _, attribute = scripts[entry.name].partition("[")[0].partition(":")
            return {"kind": "function", "name": entry.name, "module": module.strip(), "attribute": attribute.strip()}
        if not entry.module and (source := self._script(entry.name)) is not None:
            return {"kind": "script", "name": entry.name.removesuffix(".py"), "source": source}
        if self._runs(entry.name) or entry.name.partition(".")[0] in sys.stdlib_module_names:
            return {"kind": "module", "name": entry.name}
        raise self._missing(entry, scripts)

    def launched(self, words: Iterable[str]) -> dict[str, Any]:
        """Those of the ``words`` that are scripts of the wheels, each with what it stands for, in JSON's types."""
        scripts = dict(self._scripts())
        return {word: self.named(NamedEntry(word, "")) for word in words if word in scripts}

    def served(self, entry: ApplicationEntry) -> dict[str, Any]:
        """The server and the candidate that go together, in JSON's types."""
        kinds = [self.interface(each.origin) for each in entry.candidates]
        scripts = dict(self._scripts())
        for position, kind in enumerate(kinds):
            for server in SERVERS:
                fits = kind in server.serves and (server.factories or not entry.candidates[position].factory)
                if fits and server.script in scripts:
                    named = self.named(NamedEntry(server.script, ""))
                    return {**named, "candidate": position, "interface": kind}
        served = next(((each, kind) for each, kind in zip(entry.candidates, kinds, strict=True) if kind), None)
        if entry.otherwise is not None and (served is None or entry.serves_itself):
            return {"kind": "otherwise", "unheard": served is not None and bool(entry.unheard)}
        raise _nothing_serves(entry, served, self._app)

    def interface(self, origin: str) -> str:
        """``asgi`` or ``wsgi`` for what the class or function of that name makes; empty where it's neither."""
        if origin in {"asgi", "wsgi"}:
            return origin
        parts = origin.split(".")
        for count in range(len(parts) - 1, 0, -1):
            source = self.source_of(".".join(parts[:count]))
            if source is not None:
                made = self.made(source, parts[count:])
                if made in {"asgi", "wsgi"}:
                    return made
                break
        last = parts[-1].lower()
        return "asgi" if "asgi" in last else "wsgi" if "wsgi" in last else ""

    def _function(self, entry: NamedEntry) -> dict[str, Any]:
        module, _, attribute = entry.name.partition(":")
        first = attribute.partition(".")[0]
        source = self.source_of(module)
        if source is None and not self._has(module):
            raise self._missing(entry, {})
        names = self.bindings(source) if source is not None else {}
        tree = self.tree(source) if source is not None else None
        if tree is not None and first not in names and not _binds_more(tree):
            raise _refused(entry, f"the module {module} defines no {first!r}", did_you_mean(first, names))
        return {"kind": "function", "name": module.rpartition(".")[2], "module": module, "attribute": attribute}

    def _has(self, module: str) -> bool:
        path = f"{self._site}/{module.replace('.', '/')}"
        return any(each.startswith((f"{path}.", f"{path}/__init__.")) for each in self._tree.entries)

    def _runs(self, module: str) -> bool:
        """True where ``python -m`` can run the module."""
        path = f"{self._site}/{module.replace('.', '/')}"
        return f"{path}/__main__.py" in self._tree.entries or f"{path}.py" in self._tree.entries

    def _scripts(self) -> Iterator[tuple[str, str]]:
        """The console scripts of all wheels, with what each calls (packaging.python.org, entry points)."""
        for path, file in self._tree.files():
            if path.endswith(".dist-info/entry_points.txt"):
                parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
                parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
                with file.content.open() as stream:
                    parser.read_string(stream.read().decode())
                for group in ("console_scripts", "gui_scripts"):
                    yield from parser.items(group) if parser.has_section(group) else ()

    def _script(self, name: str) -> str | None:
        """The text of a script that a wheel brings as a file; None where it's no Python."""
        path = self._bin / posixpath.basename(name)
        if not path.is_file():
            return None
        data = path.read_bytes()
        if not _PYTHON.match(data):
            raise ConfigurationError(
                f"{name} is no Python program",
                evidence="it lies in a wheel as a program of its own, or a script for a shell",
                step="name a module or a function that does the same:  [tool.cannery]  entry",
            )
        return data.decode()

    def _missing(self, entry: NamedEntry, scripts: Mapping[str, str]) -> ConfigurationError:
        own = (path.name for root in self._app.import_roots for path in packages_in(self._app.folder / root))
        prefix = f"{self._site}/"
        files = (path.removeprefix(prefix) for path in self._tree.entries if path.endswith((".py", ".so")))
        modules = {path.partition(".")[0].removesuffix("/__init__").replace("/", ".") for path in files}
        hint = did_you_mean(entry.name.partition(":")[0], [*scripts, *own, *sorted(modules)])
        what = "such module" if entry.module or ":" in entry.name else "such script, module or package"
        return _refused(entry, f"neither the project nor a dependency has {what}", hint)


def _refused(entry: NamedEntry, evidence: str, hint: str) -> ConfigurationError:
    return ConfigurationError(
        f"the entry point {entry.name!r} does not exist",
        evidence="\n".join(filter(None, (f"{entry.source} names it, and {evidence}", hint))),
        step="correct it, or add what brings it to the requirements",
    )


def _binds_more(tree: ast.Module) -> bool:
    """True where running the module may give it names that its top level doesn't show."""
    stars = any(isinstance(node, ast.alias) and node.name == "*" for node in ast.walk(tree))
    return stars or any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body)


def _nothing_serves(entry: ApplicationEntry, served: tuple[Application, str] | None, app: App) -> ProjectError:
    if served is None:
        chosen = entry.candidates[0] if entry.candidates else None
        step = f'"{chosen.reference}"' if chosen else '"module:function"'
        return ProjectError(
            entry.told,
            step=f"call what it is to do at its end, or name what starts:  [tool.cannery]  entry = {step}",
        )
    application, kind = served
    kinds = {kind} if entry.candidates[0].origin != "django" else {"asgi", "wsgi"}
    names = [server.distribution for server in SERVERS if kinds & set(server.serves)]
    where = app.requirements.path.name if app.requirements else "the requirements (requirements.txt)"
    return ProjectError(
        entry.told,
        evidence=f"{application.reference} ({application.place}) is {_ARTICLES[kind]} application, "
        "and no server for such is among the requirements",
        step=f"add a server to {where}, and it is started:  {names[0]}  (or {', '.join(names[1:])})",
    )


_ARTICLES: Final = {"asgi": "an ASGI", "wsgi": "a WSGI"}
