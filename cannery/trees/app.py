"""The app's own files: what its entry point reaches, and the resources that it names.

Everything keeps its place relative to the project, below /app.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
import stat
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cannery.app import App, Function, Module, Script
from cannery.errors import ConfigurationError, ProjectError
from cannery.files import explained
from cannery.model import Digest, Entry, File, Inline, LazyTree, OnDisk, Symlink, Tree, key_of
from cannery.trees.facts import FactsIndex
from cannery.trees.secrets import holds_password, refuse_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cannery.workspace import Workspace

__all__ = ["HOME", "AppTree", "app_tree", "entry_command"]

HOME = PurePosixPath("/app")


@dataclass(frozen=True)
class AppTree:
    """The app's files, with what other stages need to know of their contents."""

    code: LazyTree  # what imports reach, package data along with it
    resources: LazyTree  # what the configuration names; taken as it is
    native: Tree  # the ELF files of both
    imports: frozenset[str]  # top-level modules that the code imports


@dataclass
class _Scan:
    """What has been found so far: image paths with their entries and contents' digests."""

    app: App
    index: FactsIndex
    code: bool  # parsed for imports, or taken as it is
    left_out: frozenset[str] = frozenset()  # files and folders, relative to the project
    entries: dict[str, Entry] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    native: set[str] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=dict)


def app_tree(app: App, workspace: Workspace) -> AppTree:
    """The code and the resources of ``app``.

    Raises :class:`ProjectError` for what can't or mustn't go into an image: secrets, links that lead out, devices,
    names that are no text.
    """
    index = FactsIndex(workspace.cache, app.folder)
    named = {PurePosixPath(name).as_posix(): _resource(app, name) for name in app.settings.resources}
    code = _Scan(app, index, code=True, left_out=frozenset(named))
    resources = _Scan(app, index, code=False)
    _add_reachable(code)
    for path in named.values():
        _add_from(resources, path)
    refuse_secrets(app, {**_secrets_of_metadata(app), **code.secrets, **resources.secrets})
    _check_links({**code.entries, **resources.entries})
    index.save()
    for image_path, text, mode in _generated(app):
        code.entries[image_path] = File(Inline(text.encode()), mode)
        code.digests[image_path] = Digest.of(text.encode()).hex
    everything = Tree({**code.entries, **resources.entries})
    return AppTree(
        code=_lazy(code),
        resources=_lazy(resources),
        native=everything.filter(lambda path, _: path in code.native | resources.native),
        imports=frozenset(code.imports),
    )


def _lazy(scan: _Scan) -> LazyTree:
    tree = Tree(scan.entries)
    modes = {path: file.mode for path, file in tree.files()}
    links = {path: entry.target for path, entry in tree if isinstance(entry, Symlink)}
    return LazyTree(key_of("app", scan.digests, modes, links), lambda: tree)


def entry_command(app: App, python: str) -> tuple[str, ...]:
    """The image's entry point in exec form, with ``python`` the interpreter's path in the image."""
    match app.entry:
        case Script(path):
            return (python, f"{HOME}/{path.with_suffix('.pyc')}")
        case Module(name):
            return (python, "-m", name)
        case Function(script):
            return (f"/usr/local/bin/{script}",)


def _add_reachable(scan: _Scan) -> None:
    """Add the entry point's top-level module, those of the project that it imports, and so on."""
    pending = _starts(scan.app)
    done: set[Path] = set()
    while pending:
        path = pending.pop()
        if path not in done:
            done.add(path)
            _add_from(scan, path)
            pending += [found for name in sorted(scan.imports) if (found := _top_level(scan.app, name)) is not None]


def _starts(app: App) -> list[Path]:
    """Where the app's code begins: its entry point, and the packages that the configuration names."""
    starts = []
    for name in app.settings.packages:
        path = _top_level(app, name)
        if path is None:
            what = f"packages names {name!r}: there is no such module in {app.folder}"
            raise ConfigurationError(
                what, step="correct it, or leave it out: what is installed goes in by requirements"
            )
        starts.append(path)
    match app.entry:
        case Script(script):
            starts.append(app.folder / script)
        case Module(module) | Function(module=module):
            path = _top_level(app, module)
            starts += [path] if path is not None else []  # it may be a dependency's
    return starts


def _top_level(app: App, module: str) -> Path | None:
    """The project's own file or folder behind a top-level module, or None when the module isn't the project's."""
    name = module.partition(".")[0]
    for root in app.import_roots:
        folder = app.folder / root / name
        if folder.is_dir() and (folder / "__init__.py").is_file():
            return folder
        if (single := folder.with_name(f"{name}.py")).is_file():
            return single
        if folder.is_dir() and any(folder.rglob("*.py")):
            return folder  # a namespace package (PEP 420)
        for extension in sorted(folder.parent.glob(f"{name}.*.so")):
            return extension
    return None


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


def _add_from(scan: _Scan, path: Path) -> None:
    """Add ``path``, which the configuration or an import names, and what lies below it."""
    folder = scan.app.folder
    if path != folder and not (real := path.parent.resolve()).is_relative_to(folder):
        raise ProjectError(
            f"{path.relative_to(folder).as_posix()!r} lies outside the project",
            evidence=f"{path.parent} -> {real}",
            step="put a copy of it into the project, in the place of the link",
        )
    with explained(folder, "read"):
        _add(scan, path)


def _add(scan: _Scan, path: Path) -> None:
    relative = path.relative_to(scan.app.folder).as_posix()
    cached = path.name == "__pycache__" or path.suffix in {".pyc", ".pyo"}
    if cached or relative in scan.left_out or path == scan.app.archive or _excluded(scan.app, relative):
        return
    status = path.lstat()
    shown = f"{HOME}/{_text(path, relative)}"
    if stat.S_ISDIR(status.st_mode):
        for below in sorted(path.iterdir(), key=os.fsencode):
            _add(scan, below)
    elif stat.S_ISLNK(status.st_mode):
        target = _link(scan.app, path)
        if scan.code and path.suffix == ".py" and path.is_file():
            _add_file(scan, shown, path.resolve())  # its bytecode has a name of its own, which no link has
        else:
            scan.entries[shown] = Symlink(target)
    elif stat.S_ISREG(status.st_mode):
        _add_file(scan, shown, path)
    else:
        raise ProjectError(
            f"{relative!r} is {_kind(status.st_mode)}: an image holds files, folders and links",
            step=f"remove it, or leave it out with  [tool.cannery]  exclude = [{relative!r}]",
        )


def _add_file(scan: _Scan, shown: str, path: Path) -> None:
    status = path.stat()
    facts = scan.index.of(path, status, code=scan.code)
    executable = bool(status.st_mode & stat.S_IXUSR)
    content = OnDisk(path, status.st_size, Digest(facts.sha256))
    scan.entries[shown] = File(content, 0o755 if executable else 0o644)
    scan.digests[shown] = facts.sha256
    scan.imports.update(facts.imports)
    scan.secrets[path.relative_to(scan.app.folder).as_posix()] = facts.secret
    if facts.is_elf:
        scan.native.add(shown)


def _excluded(app: App, relative: str) -> bool:
    return any(fnmatch.fnmatchcase(relative, pattern.rstrip("/")) for pattern in app.settings.exclude)


def _text(path: Path, relative: str) -> str:
    try:
        relative.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ProjectError(
            f"the name of {os.fsencode(path)!r} is not UTF-8: archives of images can't hold it",
            step="rename it, or leave it out with  [tool.cannery]  exclude",
        ) from error
    return relative


def _link(app: App, path: Path) -> str:
    """The target of the link ``path`` as it will stand in the image: relative, and within the project."""
    target = os.readlink(path)
    shown = path.relative_to(app.folder).as_posix()
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ProjectError(
            f"the link {shown!r} leads to nothing",
            evidence=f"{shown} -> {target}",
            step=f"remove it, or leave it out with  [tool.cannery]  exclude = [{shown!r}]",
        ) from error
    if not real.is_relative_to(app.folder):
        raise ProjectError(
            f"the link {shown!r} leads out of the project",
            evidence=f"{shown} -> {target}",
            step="put a copy of the file in its place, or leave it out with  [tool.cannery]  exclude",
        )
    return posixpath.relpath(real.as_posix(), path.parent.resolve().as_posix())


def _check_links(entries: Mapping[str, Entry]) -> None:
    """Refuse a link whose target stays behind."""
    folders = {posixpath.dirname(path) for path in entries}
    for path, entry in entries.items():
        if isinstance(entry, Symlink):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
            if target not in entries and not any(f"{each}/".startswith(f"{target}/") for each in folders):
                shown = posixpath.relpath(target, HOME.as_posix())
                link = posixpath.relpath(path, HOME.as_posix())
                raise ProjectError(
                    f"the link {link!r} leads to {shown!r}, which is not in the image",
                    step=f"add it:  [tool.cannery]  resources = [{shown!r}]",
                )


def _generated(app: App) -> Iterator[tuple[str, str, int]]:
    """What installing the project would make: its metadata, and the console script; path, text and mode of each."""
    metadata = app.metadata
    if app.distribution and metadata.version:
        name = app.distribution.replace("-", "_")
        folder = PurePosixPath(HOME, app.import_roots[0], f"{name}-{metadata.version}.dist-info")
        lines = ["Metadata-Version: 2.1", f"Name: {app.distribution}", f"Version: {metadata.version}"]
        lines += [f"Summary: {metadata.description.splitlines()[0]}"] if metadata.description else []
        lines += [f"Requires-Dist: {requirement}" for requirement in metadata.dependencies]
        yield f"{folder}/METADATA", "\n".join([*lines, ""]), 0o644
        groups = [
            "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in names), ""])
            for group, names in metadata.entry_points
        ]
        if groups:
            yield f"{folder}/entry_points.txt", "\n".join(groups), 0o644
    if isinstance(app.entry, Function):
        first = app.entry.attribute.partition(".")[0]
        lines = ["#!/usr/local/bin/python3", "import sys", "", f"from {app.entry.module} import {first}", ""]
        yield f"/usr/local/bin/{app.entry.script}", "\n".join([*lines, f"sys.exit({app.entry.attribute}())", ""]), 0o755


def _secrets_of_metadata(app: App) -> dict[str, str]:
    found = any(holds_password(requirement.encode()) for requirement in app.metadata.dependencies)
    return {"pyproject.toml": "a package index's password, among the dependencies"} if found else {}


def _kind(mode: int) -> str:
    kinds = {stat.S_IFSOCK: "a socket", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    return kinds.get(stat.S_IFMT(mode), "no file")
