"""An app with what runs of it show: the commands and the addresses that the setting ``trace`` names."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec import structs

from cannery.check.answer import answer
from cannery.check.question import is_address, requests
from cannery.containers.ports import published_port
from cannery.errors import ConfigurationError
from cannery.imports.trace import run_command, watched
from cannery.project.app import HOME, FunctionEntry, ModuleEntry, RunFacts, ScriptEntry
from cannery.project.modules import imported_as, is_about_projects, is_environment
from cannery.recipes.venues import environment_of
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from cannery.check.answer import ProgramAnswer
    from cannery.check.question import Requests
    from cannery.image.tree import LazyTree
    from cannery.imports.trace import Traced, Watch, Watched
    from cannery.project.app import App
    from cannery.trees.app import AppTree
    from cannery.workspace.workspace import Workspace

__all__ = ["traced"]

_PATIENCE: Final = 60.0  # seconds that a server gets to answer
_SHOWN: Final = 2000  # characters of what a program says
_CLIENT_ERROR, _SERVER_ERROR = 400, 500  # and above (RFC 9110, 15.5 and 15.6)


def traced(app: App, own: AppTree, wheels: LazyTree, workspace: Workspace) -> App:
    """``app`` with what the runs show that its setting ``trace`` names; ``own`` are its files without that.

    Each is run once, and again when the app's modules or its dependencies change: other files may be the run's own.
    Raises :class:`ConfigurationError` where a command fails, or where the program doesn't answer, as half a run shows
    half of what the program needs.
    """
    texts = app.settings.trace
    texts = (texts,) if isinstance(texts, str) else texts
    runs = _Runs(app, own, (own.code.key, wheels.key), workspace)
    shown = [runs.of_command(text) for text in texts if not is_address(text)]
    shown += [runs.of_program(question) for question in requests(texts, "trace")]
    seen = RunFacts(
        imports=tuple(sorted({pair for each in shown for pair in each.imports})),
        modules=frozenset(name for each in shown for name in each.modules),
        opened=tuple(sorted({path for each in shown for path in each.opened})),
        libraries=tuple(sorted({name for each in shown for name in each.libraries})),
    )
    return structs.replace(app, seen=seen, notes=(*app.notes, *(note for each in shown for note in each.notes)))


@dataclass(frozen=True, slots=True)
class _TracedRun:
    """What one run has shown of the program."""

    imports: Traced
    modules: tuple[str, ...]  # at the top level, that the program's own modules or its dependencies import
    opened: tuple[str, ...]  # files, relative to the project
    libraries: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of one app, each remembered until what it runs changes."""

    app: App
    own: AppTree
    keys: tuple[str, ...]  # of what is run
    workspace: Workspace

    def of_command(self, command: str) -> _TracedRun:
        """What the app's own modules do in a command, and what is done for them; the rest is the command's own."""
        return self._remembered(command, lambda: self._watch_command(command))

    def of_program(self, question: Requests) -> _TracedRun:
        """What the program does from its start until it has answered."""
        started = (repr(self.app.main), self.app.settings.env, self.app.settings.python)
        return self._remembered((str(question), started), lambda: self._watch_program(question))

    def _watch_command(self, command: str) -> _TracedRun:
        self.workspace.progress(f"tracing {command}")
        found = self._watched(lambda watch: run_command(command, watch, self.workspace))
        ours = {path for path in self.own.code.tree.entries if not is_about_projects(_top(path))}
        names = {imported_as(path, self.app.image_roots) for path in ours}
        opened = [path for by, path in found.opened if f"{HOME}/{by}" in ours]
        libraries = [name for by, name in found.libraries if f"{HOME}/{by}" in ours]
        modules = {name for by, name in found.imports if by in names}
        return self._shown(found.imports, modules, opened, libraries)

    def _watch_program(self, question: Requests) -> _TracedRun:
        self.workspace.progress(f"tracing the program, and asking it: {question}")
        answers: list[ProgramAnswer] = []
        with environment_of(self.app, self.workspace) as place:

            def ask(watch: Watch) -> None:
                answers.append(answer(question, replace(place, variables=watch.variables(place.variables)), _PATIENCE))

            found = self._watched(ask)
        _check(answers[0], self.app)
        main = _main(self.app)  # which does what the script that starts it does, and what no module does
        imports = tuple((main if by in {"", _script(self.app)} else by, name) for by, name in found.imports)
        opened, libraries = [path for _, path in found.opened], [name for _, name in found.libraries]
        modules = {name for by, name in imports if by.partition(".")[0] not in sys.stdlib_module_names}
        return self._shown(imports, modules, opened, libraries, _notes(answers[0]))

    def _watched(self, run: Callable[[Watch], None]) -> Watched:
        return watched(run, self.app.folder, self.workspace)

    def _shown(
        self, imports: Traced, modules: set[str], opened: list[str], libraries: list[str], notes: Iterable[str] = ()
    ) -> _TracedRun:
        """What counts of a run: the project's own files that are data, and the system's libraries."""
        inside = [name for name in libraries if _lies_in(self.app.folder, name)]
        data = {path for path in (*opened, *inside) if _may_be_data(self.app.folder, path)}
        names = {name.rpartition("/")[2] for name in libraries if "/site-packages/" not in name} - {""}
        tops = {name.partition(".")[0] for name in modules}
        own = {*map(_base, inside)}
        return _TracedRun(imports, tuple(sorted(tops)), tuple(sorted(data)), tuple(sorted(names - own)), tuple(notes))

    def _remembered(self, what: object, make: Callable[[], _TracedRun]) -> _TracedRun:
        key = key_of("traced", code_key(__name__), what, str(self.app.folder), self.keys)
        known = None if self.workspace.refresh else self.workspace.cache.recall("traces", key)
        if known is None:
            known = asdict(make())
            self.workspace.cache.remember("traces", key, known)
        imports = tuple((importer, name) for importer, name in known["imports"])
        return _TracedRun(imports, *(tuple(known[each]) for each in ("modules", "opened", "libraries", "notes")))


def _check(found: ProgramAnswer, app: App) -> None:
    """Raise :class:`ConfigurationError` where a server hasn't answered, or has failed to."""
    for each in found.responses:
        if each.status is None or each.status >= _SERVER_ERROR:
            what = "doesn't answer" if each.status is None else f"answers with status {each.status}"
            how = f" ({each.body.removeprefix('no response: ')})" if each.status is None else ""
            said = f"{found.output}\n{found.errors}".strip()[-_SHOWN:]
            raise ConfigurationError(
                f"the program {what} at {each.url}, which trace names{how}",
                evidence=said or "it said nothing",
                step=_step(each.url, app),
            )


def _step(url: str, app: App) -> str:
    """What to do where nothing good comes from ``url``."""
    ports = [published_port(text).container.partition("/")[0] for text in app.ports]
    there = f"; it's meant to listen on port {', '.join(ports)}" if ports and f":{ports[0]}" not in url else ""
    return (
        f"see that it answers there in a virtual environment too, with the variables of  [tool.cannery]  env{there}; "
        "or leave trace out"
    )


def _notes(found: ProgramAnswer) -> Iterator[str]:
    for each in found.responses:
        if each.status is not None and each.status >= _CLIENT_ERROR:
            yield f"trace shows what the program needs to answer {each.url} with status {each.status}, and no more"


def _main(app: App) -> str:
    """The module that the program begins with, as traces name it."""
    match app.entry:
        case ScriptEntry():
            return app.entry.image_path.stem
        case ModuleEntry(name):
            return f"{name}.__main__"
        case FunctionEntry(module=module):
            return module


def _script(app: App) -> str:
    """The name of the script that starts the program's function, which traces take for a module's."""
    return app.entry.script if isinstance(app.entry, FunctionEntry) else ""


def _top(path: str) -> str:
    """The name in the project's folder that a path of the image lies in, without its ending."""
    return path.removeprefix(f"{HOME}/").partition("/")[0].partition(".")[0]


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _lies_in(folder: Path, path: str) -> bool:
    return "/" in path and not path.startswith("/") and (folder / path).is_file()


def _may_be_data(folder: Path, path: str) -> bool:
    """True for a file of the project that is there, and that no tool has put there for itself."""
    parts = PurePosixPath(path).parts
    above = (folder.joinpath(*parts[:count]) for count in range(1, len(parts)))
    hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
    return not hidden and (folder / path).is_file() and not any(map(is_environment, above))
