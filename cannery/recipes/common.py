"""What recipes have in common: the Python that goes in, what the app requires, and bytecode."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cannery.project.interpreter import check_platform, interpreter_for
from cannery.trees.needs import Needs, needs_of_app, read_needs
from cannery.trees.resolve import resolve
from cannery.trees.transforms.bytecode import bytecode
from cannery.trees.wheels import NO_WHEELS, dependencies

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree, Transform
    from cannery.project.app import App
    from cannery.project.requirements import Requirements
    from cannery.python.interpreter import Interpreter, WheelTarget
    from cannery.trees.app import AppTree
    from cannery.workspace.workspace import Workspace

__all__ = [
    "BytecodeTransforms",
    "Dependencies",
    "app_code",
    "bytecode_transforms",
    "needs_of_code",
    "packed_python",
    "pinned_dependencies",
]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What an app requires."""

    requirements: Requirements | None  # pinned; None where the app requires nothing
    wheels: LazyTree  # installed by uv when somebody asks for the tree; empty where the app requires nothing


def pinned_dependencies(app: App, target: WheelTarget, workspace: Workspace) -> Dependencies:
    """What ``app`` requires, in the versions of its lock or of its first build, as wheels for ``target``.

    Versions are pinned here, and nothing is installed yet. Raises :class:`RequirementsError` where none fit.
    """
    if app.requirements is None:
        return Dependencies(None, NO_WHEELS)
    requirements = resolve(app.requirements, app.settings, target, workspace)
    return Dependencies(requirements, dependencies(requirements, target, workspace))


def packed_python(app: App, workspace: Workspace) -> Interpreter:
    """The Python of this machine that goes into the image.

    Raises :class:`ConfigurationError` where the settings ask for an image of another platform.
    """
    python = interpreter_for(app, workspace)
    check_platform(app, python.platform)
    return python


@dataclass(frozen=True, slots=True)
class BytecodeTransforms:
    """How sources become bytecode."""

    others: Transform  # for modules that aren't the app's; a file that is no Python stays as it is
    own: Transform  # for the app's modules, all of which must be Python


def bytecode_transforms(
    app: App, python: Interpreter, workspace: Workspace, *, positions: bool = True
) -> BytecodeTransforms:
    """The transforms for ``app`` and ``python``; without ``positions``, bytecode knows its lines alone."""
    compile_with = partial(
        bytecode,
        python,
        workspace,
        optimize=app.settings.optimize,
        keep_sources=app.settings.keep_sources,
        import_roots=app.image_roots,
        positions=positions,
    )
    return BytecodeTransforms(compile_with(), compile_with(strict=True))


def app_code(own: AppTree, app: App, python: Interpreter, workspace: Workspace) -> LazyTree:
    """The app's modules: its sources, or where the settings say ``compile``, extension modules for ``python``."""
    if not app.settings.compile:
        return own.code
    from cannery.trees.cython.app import compiled  # noqa: PLC0415  # many apps are not compiled

    return compiled(own.code, app, python, workspace)


def needs_of_code(own: AppTree, code: LazyTree, app: App, workspace: Workspace) -> Needs:
    """What the app's own files need: known from its sources ``own``, and read from ``code`` where that is compiled."""
    needs = needs_of_app(own.native, own.imports)
    return needs + read_needs(code, workspace) if app.settings.compile else needs
