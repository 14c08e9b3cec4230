"""The app's own files: what its entry point reaches, and the resources that it names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.image.tree import LazyTree, Tree
from cannery.project.app import App, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.modules import find_module
from cannery.project.secrets import holds_password, refuse_secrets
from cannery.trees.collect import Collected, check_links
from cannery.trees.facts import FactsIndex
from cannery.trees.installed import PYTHON, installed_files
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.workspace.workspace import Workspace

__all__ = ["AppTree", "app_tree"]


@dataclass(frozen=True)
class AppTree:
    """The app's files, with the facts about their contents that later stages need."""

    code: LazyTree  # the modules that imports reach, with their packages' data
    resources: LazyTree  # the files that the configuration names, as they are
    native: Tree  # the ELF files of both
    imports: frozenset[str]  # top-level modules that the code imports
    source_readers: tuple[str, ...]  # lines that ask for sources: "pkg/module.py:12"


def app_tree(app: App, workspace: Workspace, python: str = PYTHON, suffix: str = ".pyc") -> AppTree:
    """The code and the resources of ``app``; its scripts start ``python``, a path in the image.

    Its modules will end in ``suffix``.

    Raises :class:`ProjectError` for what can't or mustn't go into an image: secrets, links that lead out, devices,
    names that are no text.
    """
    index = FactsIndex(workspace.cache, app.folder)
    named = {PurePosixPath(name).as_posix(): _resource(app, name) for name in app.settings.resources}
    code = Collected(app, index, code=True, left_out=frozenset(named))
    resources = Collected(app, index, code=False)
    _add_reachable(code)
    for path in named.values():
        resources.add(path)
    refuse_secrets(app, {**_secrets_of_metadata(app), **code.secrets, **resources.secrets})
    check_links({**code.entries, **resources.entries})
    index.save()
    for image_path, file in installed_files(app, python, suffix):
        code.put(image_path, file, Digest.of_content(file.content))
    everything = Tree({**code.entries, **resources.entries})
    return AppTree(
        code=code.lazy(),
        resources=resources.lazy(),
        native=everything.filter(lambda path, _: path in code.native | resources.native),
        imports=frozenset(code.imports),
        source_readers=tuple(code.source_readers),
    )


def _add_reachable(code: Collected) -> None:
    """Add the entry point's top-level module, those of the project that it imports, and so on."""
    pending = [*_starts(code.app)]
    done: set[Path] = set()
    while pending:
        path = pending.pop()
        if path not in done:
            done.add(path)
            code.add(path)
            pending += [found for name in sorted(code.imports) for found in _top_level(code.app, name)]


def _starts(app: App) -> Iterator[Path]:
    """The files and folders that the app's code begins with: the entry point's, and ``packages`` of the settings."""
    for name in app.settings.packages:
        found = _top_level(app, name)
        if not found:
            what = f"packages names {name!r}: there is no such module in {app.folder}"
            raise ConfigurationError(
                what, step="correct it, or leave it out: what is installed goes in by requirements"
            )
        yield from found
    for entry in app.entries:
        match entry:
            case ScriptEntry(script) if not script.is_absolute():
                yield app.folder / script
            case ModuleEntry(module) | FunctionEntry(module=module):
                yield from _top_level(app, module)  # nothing where it's a dependency's
    for word in (word for command in (app.main, *app.commands) for word in command.arguments):
        if isinstance(word, str) and (name := word.partition(":")[0]).replace(".", "").isidentifier():
            yield from _top_level(app, name)


def _top_level(app: App, module: str) -> tuple[Path, ...]:
    """The project's own files and folders behind the top level of a module."""
    return find_module(app.folder, app.import_roots, module.partition(".")[0])


def _resource(app: App, name: str) -> Path:
    path = app.folder / name
    if path == app.folder:
        what = f"resources names {name!r}: that is the whole project, with all that is made from it"
        raise ConfigurationError(what, step="name the files and folders in it that the program reads")
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        step = "put it into the project, and name it relative to that"
        raise ConfigurationError(f"resources names {name!r}, which is not below {app.folder}", step=step)
    if not os.path.lexists(path):
        what = f"resources names {name!r}: there is no such file or folder in {app.folder}"
        raise ConfigurationError(what, step="correct it, or leave it out")
    return path


def _secrets_of_metadata(app: App) -> dict[str, str]:
    found = any(holds_password(requirement.encode()) for requirement in app.metadata.dependencies)
    return {"pyproject.toml": "a package index's password, among the dependencies"} if found else {}
