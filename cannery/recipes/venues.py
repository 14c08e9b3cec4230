"""The two places where an app's program is asked: its image, and a virtual environment of the same requirements."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from cannery.check.environment import environment
from cannery.check.venue import EngineImage, Environment, UnpackedImage
from cannery.containers.engine.discovery import find_engine
from cannery.containers.load import load
from cannery.containers.needs import limits_for, needs_executable_tmp
from cannery.containers.sandbox.rootfs import rootfs
from cannery.image.tree import File
from cannery.project.app import HOME, PLACE
from cannery.python.interpreter import same_minor
from cannery.recipes.common import pinned_dependencies
from cannery.trees.app import app_tree
from cannery.trees.installed import PYTHON, entry_command, installed_files
from cannery.trees.packed_python import packed_python

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from cannery.check.venue import Venue
    from cannery.image.image import Image
    from cannery.image.tree import Entry
    from cannery.project.app import App
    from cannery.python.interpreter import Interpreter, WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["environment_of", "image_venue"]

# As images have them.
_VARIABLES: Final = {
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONUNBUFFERED": "1",
}


def image_venue(app: App, image: Image, ports: Iterable[int], workspace: Workspace) -> tuple[Venue, str]:
    """The image where ``invoke run`` would run it, and who does; ``ports`` are published as they are."""
    settings = app.settings
    python, roots = _python_path(app, workspace), app.image_roots
    limits = limits_for(image, settings.limits)
    engine = find_engine(settings.engine)
    if engine is None:
        root = rootfs(image, workspace.cache)
        return UnpackedImage(root, image.config, python, str(PLACE), roots, limits), "the embedded runner"
    load(image, app.references, settings.engine, workspace)
    venue = EngineImage(
        app.references[0],
        settings.engine,
        python,
        str(PLACE),
        roots,
        tuple(map(str, sorted(ports))),
        settings.volumes,
        needs_executable_tmp(image),
        limits,
    )
    return venue, engine.name


@contextmanager
def environment_of(app: App, workspace: Workspace) -> Iterator[Environment]:
    """A virtual environment with the app's requirements, beside its files, and what installing it would add."""
    target, python = _target(app, workspace)
    requirements = pinned_dependencies(app, target, workspace).requirements
    folder = environment(requirements, python, workspace) / "bin"
    with workspace.cache.scratch() as scratch:
        interpreter, programs = str(folder / "python3"), scratch / "bin"
        _install(app, interpreter, scratch)
        made = app_tree(app, workspace, grammar_of=lambda: python.executable).made
        _lay_over(app, made, scratch / "site")
        roots = (str(scratch / "site"), *(str(app.folder / root) for root in app.import_roots))
        command = (_moved(word, app, scratch) for word in entry_command(app, interpreter, ".py"))
        variables = {
            **_VARIABLES,
            "PATH": os.pathsep.join([str(programs), str(folder), os.defpath]),
            "PYTHONPATH": os.pathsep.join(roots),
            "HOME": str(scratch),
            **app.settings.env,
        }
        yield Environment(tuple(command), app.arguments, interpreter, str(programs), roots, app.folder, variables)


def _install(app: App, interpreter: str, scratch: Path) -> None:
    """Write the app's metadata and its scripts below ``scratch``, nothing into the project."""
    for path, file in installed_files(app, interpreter, ".py"):
        inside = f"bin/{path.removeprefix(f'{PLACE}/')}" if path.startswith(f"{PLACE}/") else f"site/{_last_two(path)}"
        target = scratch / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.content.open() as stream:
            text = stream.read().decode()
        target.write_text(_moved(text, app, scratch) if file.mode & 0o100 else text, encoding="utf-8")
        target.chmod(file.mode)


def _lay_over(app: App, made: Mapping[str, Entry], site: Path) -> None:
    """Write what the project's backend has ``made`` below ``site``, among links to all else of the same packages."""
    for shown, entry in made.items():
        root = max((root for root in app.image_roots if shown.startswith(f"{root}/")), key=len)
        name = PurePosixPath(shown.removeprefix(f"{root}/"))
        for package in reversed(name.parents[:-1]):
            _link_all(app.folder / PurePosixPath(root).relative_to(HOME) / package, site / package)
        if isinstance(entry, File):
            with entry.content.open() as stream:
                (site / name).write_bytes(stream.read())


def _link_all(folder: Path, target: Path) -> None:
    """Make ``target`` a folder with links to all that lies in ``folder``."""
    if target.is_symlink():
        target.unlink()
    if not target.exists():
        target.mkdir(parents=True)
        for path in folder.iterdir() if folder.is_dir() else ():
            (target / path.name).symlink_to(path)


def _last_two(path: str) -> str:
    """``NAME.dist-info/METADATA``."""
    return "/".join(path.split("/")[-2:])


def _moved(text: str, app: App, scratch: Path) -> str:
    """A script, or a word of a command, with the environment's paths in the place of the image's."""
    return text.replace(f"{HOME}/", f"{app.folder}/").replace(f"{PLACE}/", f"{scratch}/bin/")


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
            python = packed_python(app, workspace)
            return python.target, python


def _python_path(app: App, workspace: Workspace) -> str:
    """The path in the image of the Python that runs the program."""
    if app.settings.recipe in {"slim", "cython"}:
        from cannery.trees.base.ground import ground_of  # noqa: PLC0415

        return ground_of(app, workspace).python.path
    return PYTHON
