"""Steps that several recipes take: the Python that goes in, the app's dependencies, its code, bytecode."""

from __future__ import annotations

from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from cannery.project.app import HOME
from cannery.project.secrets import refuse_secrets, secrets_of_metadata
from cannery.trees.app import app_tree
from cannery.trees.installed import entry_files
from cannery.trees.looked_for import looked_for
from cannery.trees.needs import Needs, needs_of_app, read_needs
from cannery.trees.own import started_with
from cannery.trees.resolve import resolve
from cannery.trees.settled import settled
from cannery.trees.transforms.bytecode import bytecode
from cannery.trees.wheels import NO_WHEELS, dependencies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
    "pinned_dependencies",
    "settled_app",
]


class Dependencies(msgspec.Struct, frozen=True):
    """The dependencies of an app."""

    requirements: Requirements | None  # pinned; None where the app requires nothing
    wheels: LazyTree  # installed by uv when somebody asks for the tree; empty where the app requires nothing


def pinned_dependencies(app: App, target: WheelTarget, workspace: Workspace) -> Dependencies:
    """The dependencies of ``app`` as wheels for ``target``, in the versions of its lock, or of its first build.

    Versions are pinned now; wheels are installed when their tree is asked for. Raises :class:`RequirementsError` where
    no versions fit, :class:`ProjectError` before anybody is asked for what has a password in its address.
    """
    refuse_secrets(app, secrets_of_metadata(app))
    if app.requirements is None:
        return Dependencies(None, NO_WHEELS)
    requirements = resolve(app.requirements, app, target, workspace)
    return Dependencies(requirements, dependencies(requirements, target, workspace))


def settled_app(
    app: App,
    dependencies: Dependencies,
    target: WheelTarget,
    workspace: Workspace,
    grammar_of: Callable[[], Path] | None = None,
) -> App:
    """``app`` with all that it takes a look at its dependencies, or a run, to know: what starts, what that looks for.

    ``grammar_of`` is as :func:`app_tree` has it.
    """
    app = settled(app, dependencies.wheels, target.site_packages, workspace)
    app = replace(app, looked_for=looked_for(app, dependencies.wheels, workspace))
    if not app.settings.trace:
        return app
    from cannery.recipes.traced import traced  # noqa: PLC0415  # most builds run nothing

    return traced(app, app_tree(app, workspace, grammar_of=grammar_of), dependencies.wheels, workspace)


class BytecodeTransforms(msgspec.Struct, frozen=True):
    """The ways from sources to bytecode; a file of others that is no Python stays as it is."""

    library: Transform  # for the standard library
    others: Transform  # for the dependencies
    own: Transform  # for the app's modules, all of which must be Python


def bytecode_transforms(
    app: App, python: Interpreter, workspace: Workspace, *, positions: bool = True, readers: tuple[str, ...] = ()
) -> BytecodeTransforms:
    """The transforms for ``app`` and ``python``; without ``positions``, bytecode knows its lines alone.

    The ``readers`` are dependencies that keep their sources, besides what the settings name.
    """
    compile_with = partial(
        bytecode,
        python,
        workspace,
        optimize=app.settings.optimize,
        import_roots=app.image_roots,
        drop_sources=app.settings.drop_sources,
        positions=positions,
    )
    keep = app.settings.keep_sources
    return BytecodeTransforms(
        library=compile_with(keep_sources=keep),
        others=compile_with(keep_sources=(*keep, *readers)),
        own=compile_with(keep_sources=keep, strict=True, scripts=entry_files(app), read=_read_at_start(app)),
    )


def _read_at_start(app: App) -> frozenset[str]:
    """The sources that programs are given by their names when they start: ``fastapi run app/main.py``.

    Programs find the package that such a module is of by the ``__init__.py`` beside it, and above.
    """
    named = [PurePosixPath(word) for word in started_with(app) if word.endswith(".py")]
    above = {folder / "__init__.py" for path in named for folder in path.parents if folder.parts}
    packages = (path for path in above if (app.folder / path).is_file())
    return frozenset(str(HOME / path) for path in (*named, *packages))


def app_code(own: AppTree, app: App, python: Interpreter, workspace: Workspace) -> LazyTree:
    """The app's sources; where the settings say ``compile``, extension modules for ``python`` in their place."""
    if not app.settings.compile:
        return own.code
    from cannery.trees.cython.app import compiled  # noqa: PLC0415  # many apps are not compiled

    return compiled(own.code, app, python, workspace)


def needs_of_code(own: AppTree, code: LazyTree, app: App, workspace: Workspace) -> Needs:
    """The needs of the app's own files: of its sources ``own``, and of the extension modules in ``code``, if any."""
    needs = needs_of_app(own.native, own.imports | app.seen.modules, own.libraries.union(app.seen.libraries))
    return needs + read_needs(code, workspace) if app.settings.compile else needs
