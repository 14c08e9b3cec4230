"""The app's own files: its modules whole, the data that its code names, and the resources of the configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.image.tree import LazyTree, Tree
from cannery.project.app import HOME, ScriptEntry
from cannery.project.interpreter import find_python
from cannery.project.modules import imported_as, is_about_projects, named_by
from cannery.project.secrets import refuse_secrets, secrets_of_metadata
from cannery.trees.beside import add_data, notes_on_files
from cannery.trees.collect import Collected, check_links
from cannery.trees.facts import FactsIndex
from cannery.trees.installed import PYTHON, installed_files
from cannery.trees.kept_sources import listed_sources, listers, notes_on_sources
from cannery.trees.made import add_made
from cannery.trees.own import OwnFiles, started_with
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from cannery.image.tree import Entry
    from cannery.project.app import App
    from cannery.project.secrets import FoundSecret
    from cannery.workspace.workspace import Workspace

__all__ = ["AppTree", "app_tree"]


@dataclass(frozen=True)
class AppTree:
    """The app's files, with the facts about their contents that later stages need."""

    code: LazyTree  # the project's modules, with their packages' data
    resources: LazyTree  # the files that the configuration, the code or a convention names, as they are
    native: Tree  # the ELF files of both
    imports: frozenset[str]  # top-level modules that the code imports
    libraries: frozenset[str]  # shared libraries that it opens by name
    source_readers: tuple[str, ...]  # lines that ask for sources: "pkg/module.py:12"
    source_listers: tuple[str, ...]  # lines that look for files called *.py
    programs: Mapping[str, str]  # other programs that it starts -> the first line that does
    resource_names: tuple[str, ...]  # of the resources, relative to the project; a folder's ends in a slash
    made: Mapping[str, Entry]  # files of the code that the project's build backend has made, by their paths
    notes: tuple[str, ...]  # what the user had better know of the files


def app_tree(
    app: App,
    workspace: Workspace,
    python: str = PYTHON,
    suffix: str = ".pyc",
    grammar_of: Callable[[], Path] | None = None,
) -> AppTree:
    """The code and the resources of ``app``; its scripts start ``python``, a path in the image.

    Its modules will end in ``suffix``. ``grammar_of`` finds a Python of the version that the app is for, where that
    isn't what its settings ask for. Raises :class:`ProjectError` for what can't or mustn't go into an image: secrets,
    links that lead out, devices, names that are no text.
    """
    own = OwnFiles(app)
    find = grammar_of or (lambda: find_python(app, workspace.run))
    index = FactsIndex(workspace, app.folder, own.names, find)
    named = {PurePosixPath(name).as_posix(): _resource(app, name) for name in app.settings.resources}
    code = Collected(app, index, code=True, left_out=frozenset(named))
    resources = Collected(app, index, code=False)
    _add_modules(code, own)
    made = add_made(code, find, workspace)
    for path in named.values():
        resources.add(path)
    scripts = dict(_secrets_of_scripts(app, index))
    refuse_secrets(app, {**secrets_of_metadata(app), **scripts, **code.secrets, **resources.secrets})
    check_links({**code.entries, **resources.entries})
    data = add_data(resources, code, own)
    listed = listed_sources({**code.entries, **resources.entries}, code.listings, app.image_roots)
    _add_read_sources(resources, code, listed)
    index.save()
    for image_path, file in installed_files(app, python, suffix):
        code.put(image_path, file, Digest.of_content(file.content))
    everything = Tree({**code.entries, **resources.entries})
    return AppTree(
        code=code.lazy(),
        resources=resources.lazy(),
        native=everything.filter(lambda path, _: path in code.native | resources.native),
        imports=frozenset(code.imports),
        libraries=frozenset(code.libraries),
        source_readers=tuple(code.source_readers),
        source_listers=tuple(listers(code, listed)),
        programs=code.programs,
        resource_names=tuple(_with_slash(app, name) for name in (*named, *data.sizes)),
        made={path: code.entries[path] for path in made.paths},
        notes=(*notes_on_files(app, code, data), *made.notes, *notes_on_sources(code, listed)),
    )


def _secrets_of_scripts(app: App, index: FactsIndex) -> Iterator[tuple[str, tuple[FoundSecret, ...]]]:
    """The secrets in files of the project that are installed as scripts, by their paths."""
    for entry in app.entries:
        if isinstance(entry, ScriptEntry) and entry.origin is not None:
            path = app.folder / entry.origin
            if secrets := index.of(path, path.stat(), code=False).secrets:
                yield str(entry.origin), secrets


def _add_modules(code: Collected, own: OwnFiles) -> None:
    """Add what the program begins with and what that names, and so on; then all else that is the project's own.

    What only the latter names has to be the program's by its own name: no test comes in for the sake of a script that
    runs the tests.
    """
    done: set[Path] = set()
    _follow(code, own, own.starts(), done, named=True)
    _follow(code, own, own.whole(), done, named=False)


def _follow(code: Collected, own: OwnFiles, paths: Iterable[Path], done: set[Path], *, named: bool) -> None:
    pending = [*paths]
    seen: set[str] = set()
    while pending:
        path = pending.pop()
        if path not in done:
            done.add(path)
            code.add(path, named=named)
            new = (code.imports | code.strings) - seen
            found = [found for name in sorted(new & code.imports) for found in own.modules(name)]
            found += own.modules_of_strings(sorted(new & code.strings))
            found += own.modules_of_folders({name for each in code.listings.values() for name in each.folders})
            pending += [each for each in found if named or not is_about_projects(each.name.partition(".")[0])]
            seen |= new


def _add_read_sources(resources: Collected, code: Collected, listed: Collection[str]) -> None:
    """Add to ``resources`` the sources of ``code`` that programs may read.

    Their own strings or arguments name them, or they are ``listed``. What becomes of the code, they stay as they are.
    """
    app = code.app
    started = {f"{HOME}/{word.removeprefix('./')}" for word in started_with(app) if word.endswith(".py")}
    for path in sorted({*code.named_sources, *started, *listed} & code.entries.keys()):
        if not named_by(imported_as(path, app.image_roots), app.settings.drop_sources):
            resources.entries[path] = code.entries[path]
            resources.digests[path] = code.digests[path]


def _with_slash(app: App, name: str) -> str:
    return f"{name}/" if (app.folder / name).is_dir() else name


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
