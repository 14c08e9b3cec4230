"""From an app and its image to what that does otherwise than a virtual environment made of the same requirements."""

from __future__ import annotations

import os
import posixpath
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.check.answer import answer
from cannery.check.compare import compare
from cannery.check.environment import environment
from cannery.check.question import Imports, Requests
from cannery.check.venue import EngineImage, Environment, UnpackedImage
from cannery.containers.engine.discovery import find_engine
from cannery.containers.engine.engine import needs_executable_tmp
from cannery.containers.load import load
from cannery.containers.sandbox.rootfs import rootfs
from cannery.errors import ConfigurationError
from cannery.image.content import Inline
from cannery.project.app import HOME, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.interpreter import interpreter_for
from cannery.project.modules import imported_as
from cannery.python.interpreter import same_minor
from cannery.recipes.common import pinned_dependencies
from cannery.trees.app import app_tree
from cannery.trees.installed import PYTHON, entry_command, installed_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cannery.check.compare import Comparison
    from cannery.check.question import Question
    from cannery.check.venue import Venue
    from cannery.image.image import Image
    from cannery.project.app import App
    from cannery.python.interpreter import Interpreter, WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["Checked", "check"]

_PROGRAMS: Final = "/usr/local/bin/"  # the folder of images where installed_files has scripts
_ONE_PROGRAM: Final = ("static", "onefile")  # recipes whose images have no Python's files


@dataclass(frozen=True, slots=True)
class Checked:
    """An image, and how it answers."""

    app: App
    runner: str  # that ran it: "Docker 20.10.24"
    comparisons: tuple[Comparison, ...]


def check(app: App, image: Image, asked: Sequence[Question], workspace: Workspace, *, patience: float) -> Checked:
    """Ask the program of ``image``, and that of a virtual environment, and compare what they answer.

    Where nothing is ``asked``, the app's own modules are imported. ``patience`` is how many seconds a program gets to
    end, or to answer. Raises :class:`ConfigurationError` where an image has no Python to import them in.
    """
    asked = asked or (_imports(app, workspace),)
    venue, runner = _image(app, image, asked, workspace)
    with _environment(app, workspace) as reference:
        return Checked(
            app, runner, tuple(_compared(each, venue, reference, app, workspace, patience) for each in asked)
        )


def _compared(
    question: Question, venue: Venue, reference: Environment, app: App, workspace: Workspace, patience: float
) -> Comparison:
    """The comparison for one question; the image is asked between the environment's two runs, if it needs two."""
    workspace.progress(f"asking a virtual environment: {question}")
    expected = answer(question, reference, patience)
    workspace.progress(f"asking the image: {question}")
    given = answer(question, venue, patience)
    return compare(question, given, expected, lambda: answer(question, reference, patience), _names(app))


def _names(app: App) -> tuple[str, ...]:
    """The names by which a program calls itself in one place only: one file has another than the script in it."""
    if app.settings.recipe not in _ONE_PROGRAM:
        return ()
    own = entry_command(app, PYTHON, ".py")[-1]
    return (posixpath.basename(app.name), posixpath.basename(own), "__main__.py")


def _imports(app: App, workspace: Workspace) -> Imports:
    """The app's own modules, the one that it starts with last, as a script may do then what it's for."""
    if app.settings.recipe == "onefile":
        raise ConfigurationError(
            "an image of the recipe onefile has no Python to import modules in",
            evidence="nothing says what its program is to be asked",
            step='say it:  [tool.cannery]  check = "--version"  or  check = "http://:8000/"',
        )
    paths = [path for path in app_tree(app, workspace).code.tree.entries if path.endswith(".py")]
    names = {imported_as(path, app.image_roots) for path in paths}
    entry = _entry(app)
    kept = sorted(name for name in names - {entry} if all(map(_is_name, name.split("."))))
    found = entry if entry in names else None
    return Imports((*kept, *([found] if found else [])), found)


def _is_name(part: str) -> bool:
    return part.isidentifier() and part not in {"__main__", "__init__"}


def _entry(app: App) -> str:
    """The module that the app starts with."""
    match app.entry:
        case ScriptEntry(path):
            return imported_as(str(HOME / path), app.image_roots)
        case ModuleEntry(name):
            return name
        case FunctionEntry(module=module):
            return module


def _image(app: App, image: Image, asked: Sequence[Question], workspace: Workspace) -> tuple[Venue, str]:
    """The image where ``invoke run`` would run it, and who does; ports that are asked are published as they are."""
    settings = app.settings
    python, roots = _python_path(app, workspace), app.image_roots
    engine = find_engine(settings.engine)
    if engine is None:
        return UnpackedImage(rootfs(image, workspace.cache), image.config, python, roots), "the embedded runner"
    load(image, app.references, settings.engine, workspace)
    ports = tuple(str(url.port) for each in asked if isinstance(each, Requests) for url in each.urls)
    venue = EngineImage(
        app.references[0],
        settings.engine,
        python,
        roots,
        tuple(set(ports)),
        settings.volumes,
        needs_executable_tmp(image),
    )
    return venue, engine.name


@contextmanager
def _environment(app: App, workspace: Workspace) -> Iterator[Environment]:
    """A virtual environment with the app's requirements, beside its files, and what installing it would add."""
    target, python = _target(app, workspace)
    requirements = pinned_dependencies(app, target, workspace).requirements
    folder = environment(requirements, python, workspace) / "bin"
    interpreter = str(folder / "python3")
    with workspace.cache.scratch() as scratch:
        _install(app, interpreter, scratch)
        own = [str(app.folder / root) for root in app.import_roots]
        command = [_of_environment(word, app.folder, scratch) for word in entry_command(app, interpreter, ".py")]
        path = os.pathsep.join([str(scratch / "bin"), str(folder), os.defpath])
        variables = {**_VARIABLES, "PATH": path, "HOME": str(scratch), **app.settings.env}
        variables["PYTHONPATH"] = os.pathsep.join([*own, str(scratch / "site")])
        roots = (*own, str(scratch / "site"))
        yield Environment(tuple(command), app.settings.args, interpreter, roots, app.folder, variables)


# As images have them.
_VARIABLES: Final = {
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONUNBUFFERED": "1",
}


def _install(app: App, interpreter: str, scratch: Path) -> None:
    """Write the app's metadata and its script below ``scratch``, nothing into the project."""
    for path, file in installed_files(app, interpreter):
        below = f"bin/{path.removeprefix(_PROGRAMS)}" if path.startswith(_PROGRAMS) else f"site/{_last_two(path)}"
        target = scratch / below
        target.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(file.content, Inline), path  # noqa: S101  # they are made, not read
        target.write_bytes(file.content.data)
        target.chmod(file.mode)


def _last_two(path: str) -> str:
    """``NAME.dist-info/METADATA``."""
    return "/".join(path.split("/")[-2:])


def _of_environment(word: str, folder: Path, scratch: Path) -> str:
    """A word of the command that starts the program in an image, for the environment."""
    if word.startswith(f"{HOME}/"):
        return str(folder / word.removeprefix(f"{HOME}/"))
    return str(scratch / "bin" / word.removeprefix(_PROGRAMS)) if word.startswith(_PROGRAMS) else word


def _target(app: App, workspace: Workspace) -> tuple[WheelTarget, Interpreter]:
    """The Python that the image's wheels were chosen for, and one of this machine with the same bytecode."""
    match app.settings.recipe:
        case "slim" | "cython":
            from cannery.trees.base.ground import ground_of  # noqa: PLC0415  # of these alone

            ground = ground_of(app, workspace).target
            return ground, same_minor(ground.version, workspace)
        case "static":
            from cannery.executable.kit.toolchain import native_target  # noqa: PLC0415
            from cannery.recipes.static_program.kit import kit_for, target_of_kit  # noqa: PLC0415

            kit = kit_for(app, native_target().platform, workspace)
            return target_of_kit(kit), same_minor(kit.interpreter.version, workspace)
        case _:
            python = interpreter_for(app, workspace)
            return python.target, python


def _python_path(app: App, workspace: Workspace) -> str:
    """The path in the image of the Python that runs the program."""
    if app.settings.recipe in {"slim", "cython"}:
        from cannery.trees.base.ground import ground_of  # noqa: PLC0415

        return ground_of(app, workspace).python.path
    return PYTHON
