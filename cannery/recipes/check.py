"""From an app and its image to what that does otherwise than a virtual environment made of the same requirements."""

from __future__ import annotations

import posixpath
import re
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cannery.check.answer import answer
from cannery.check.compare import compare
from cannery.check.question import Imports, Requests, served
from cannery.containers.ports import published_port
from cannery.errors import ConfigurationError
from cannery.imports.trace import watched
from cannery.project.app import HOME, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.modules import imported_as
from cannery.python.program_names import is_python
from cannery.recipes.venues import environment_of, image_venue
from cannery.trees.app import app_tree
from cannery.trees.installed import PYTHON, entry_command
from cannery.trees.scripts import command_names, script_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.check.answer import ProgramAnswer
    from cannery.check.compare import Comparison
    from cannery.check.question import Question
    from cannery.check.venue import Environment, Venue
    from cannery.imports.trace import Watch
    from cannery.project.app import App
    from cannery.recipes.plan import Built
    from cannery.workspace.workspace import Workspace

__all__ = ["Checked", "check"]

_NO_BASE: Final = ("scratch", "tiny", "static", "onefile")  # recipes whose images have no programs but the app's
_ONE_PROGRAM: Final = ("static", "onefile")  # recipes whose images have no Python's files


@dataclass(frozen=True, slots=True)
class Checked:
    """An image, and how it answers."""

    app: App
    runner: str  # that ran it: "Docker 20.10.24"
    comparisons: tuple[Comparison, ...]


def check(built: Built, asked: Sequence[Question], workspace: Workspace, *, patience: float) -> Checked:
    """Ask the program of an image, and that of a virtual environment, and compare what they answer.

    Where nothing is ``asked``, the app's own modules are imported, and a program that is known to listen is asked
    whether it answers. ``patience`` is how many seconds a program gets to end, or to answer. Raises
    :class:`ConfigurationError` where nothing can be asked of an image.
    """
    app = built.app
    asked = asked or tuple(_usual(app, workspace))
    if not asked:
        raise ConfigurationError(
            "nothing says what the program is to be asked",
            evidence=f"an image of the recipe {app.settings.recipe} has no Python to import its modules in",
            step='say it:  [tool.cannery]  check = "--version"  or  check = "http://:8000/"',
        )
    ports = {url.port for each in asked if isinstance(each, Requests) for url in each.urls}
    venue, runner = image_venue(app, built.image, ports, workspace)
    with environment_of(app, workspace) as reference:
        compared = (_compared(each, venue, reference, app, workspace, patience) for each in asked)
        return Checked(app, runner, tuple(compared))


def _compared(
    question: Question, venue: Venue, reference: Environment, app: App, workspace: Workspace, patience: float
) -> Comparison:
    """The comparison for one question."""

    def expected() -> ProgramAnswer:
        workspace.progress(f"asking a virtual environment: {question}")
        return _at_home(answer(question, reference, patience), app)

    def made() -> ProgramAnswer:
        workspace.progress(f"asking the image: {question}")
        return answer(question, venue, patience)

    compared = compare(question, made, expected, _names(app))
    if not compared.differences or app.settings.recipe not in _NO_BASE:
        return compared
    return replace(compared, lacking=_lacking(question, reference, app, workspace, patience))


def _at_home(found: ProgramAnswer, app: App) -> ProgramAnswer:
    """An environment's answer, with the image's folder of the app in the place of the project's."""
    folder = re.compile(rf"{re.escape(str(app.folder))}(?![\w.-])")
    moved = tuple(replace(each, body=folder.sub(str(HOME), each.body)) for each in found.responses)
    output, errors = (folder.sub(str(HOME), text) for text in (found.output, found.errors))
    return replace(found, output=output, errors=errors, responses=moved)


def _lacking(
    question: Question, reference: Environment, app: App, workspace: Workspace, patience: float
) -> tuple[str, ...]:
    """The names of the programs that the environment's Pythons start when asked once more, and the image hasn't."""

    def ask(watch: Watch) -> None:
        answer(question, replace(reference, variables=watch.variables(reference.variables)), patience)

    started = watched(ask, app.folder, workspace).programs
    there = {*command_names(app), script_name(app.main)}
    found = (path for name in started if (path := shutil.which(name, path=reference.variables["PATH"])))
    names = dict.fromkeys(map(posixpath.basename, found))
    return tuple(name for name in names if name not in there and not is_python(name))


def _names(app: App) -> tuple[str, ...]:
    """The names by which a program calls itself in one place only: one file has another than the script in it."""
    if app.settings.recipe not in _ONE_PROGRAM:
        return ()
    own = entry_command(app, PYTHON, ".py")[-1]
    return (posixpath.basename(app.name), posixpath.basename(own), "__main__.py")


def _usual(app: App, workspace: Workspace) -> Iterator[Question]:
    """What is asked where nobody says what."""
    if app.settings.recipe != "onefile" and (imports := _imports(app, workspace)).modules:
        yield imports
    ports = (published_port(text).container.partition("/") for text in app.ports)
    yield from (served(int(number)) for number, _, protocol in ports if protocol == "tcp")


def _imports(app: App, workspace: Workspace) -> Imports:
    """The app's own modules, the one that it starts with last, as a script may do then what it's for."""
    roots = tuple(f"{root}/" for root in app.image_roots)  # a script that is installed lies in none of them
    paths = [path for path in app_tree(app, workspace).code.tree.entries if path.endswith(".py")]
    names = {imported_as(path, app.image_roots) for path in paths if path.startswith(roots)}
    entry = _entry(app)
    kept = sorted(name for name in names - {entry} if all(map(_is_name, name.split("."))))
    found = entry if entry in names and not _is_only_run(app) else None
    return Imports((*kept, *([found] if found else [])), found)


def _is_only_run(app: App) -> bool:
    """True for a script in a static executable, which has it under no name unless something imports it."""
    return app.settings.recipe == "static" and isinstance(app.entry, ScriptEntry)


def _is_name(part: str) -> bool:
    return part.isidentifier() and part not in {"__main__", "__init__"}


def _entry(app: App) -> str:
    """The module that the app starts with."""
    match app.entry:
        case ScriptEntry():
            return imported_as(str(app.entry.image_path), app.image_roots)
        case ModuleEntry(name) | FunctionEntry(module=name):
            return name
