"""Files of the project become entries of an image, once each name, link and kind of file was checked.

Everything keeps its place relative to the project, below /app.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cannery.errors import ProjectError
from cannery.image.content import Inline, OnDisk
from cannery.image.layer import WHITEOUT
from cannery.image.tree import Directory, Entry, File, LazyTree, Symlink, Tree
from cannery.project.app import HOME
from cannery.project.modules import is_environment
from cannery.workspace.digest import Digest
from cannery.workspace.files import explained
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

    from cannery.project.app import App
    from cannery.project.secrets import FoundSecret
    from cannery.trees.facts import FactsIndex, FileFacts
    from cannery.trees.source_listings import Listing

__all__ = ["Collected", "check_links"]


@dataclass
class Collected:
    """The files that were collected so far: image paths with their entries and the digests of their contents."""

    app: App
    index: FactsIndex
    code: bool  # Python's files are parsed for imports
    left_out: frozenset[str] = frozenset()  # files and folders, relative to the project
    present: Container[str] = ()  # image paths that others have
    entries: dict[str, Entry] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)  # top-level modules
    strings: set[str] = field(default_factory=set)  # that may name modules, files and folders of the project
    paths: set[str] = field(default_factory=set)  # those of the strings that stand where a path does
    modules: set[tuple[str, str]] = field(default_factory=set)  # image path of a source, module that it imports from
    native: set[str] = field(default_factory=set)  # image paths of ELF files
    libraries: set[str] = field(default_factory=set)  # shared libraries that code opens by name
    named_sources: set[str] = field(default_factory=set)  # image paths of .py files that strings may name
    secrets: dict[str, tuple[FoundSecret, ...]] = field(default_factory=dict)  # by path in the project
    source_readers: list[str] = field(default_factory=list)  # "pkg/module.py:12"
    listings: dict[str, Listing] = field(default_factory=dict)  # by image path: sources that look for *.py
    programs: dict[str, str] = field(default_factory=dict)  # other programs that code starts, with the first line
    no_python: dict[str, str] = field(default_factory=dict)  # modules that stayed out, and what is wrong with them
    _named: bool = True  # what is added now

    def add(self, path: Path, *, named: bool = True) -> None:
        """Add ``path``, which is ``named`` by the configuration or an import, and everything below it.

        Raises :class:`ProjectError` for a file that lies outside the project, a link that leads out of it or to
        nothing, a device, a name that isn't UTF-8, and code that is no Python: what nothing has named stays out then.
        """
        self._named = named
        folder = self.app.folder
        if path != folder and not (real := path.parent.resolve()).is_relative_to(folder):
            raise ProjectError(
                f"{path.relative_to(folder).as_posix()!r} lies outside the project",
                evidence=f"{path.parent} -> {real}",
                step="put a copy of it into the project, in the place of the link",
            )
        with explained(folder, "read"):
            self._walk(path)

    def put(self, image_path: str, file: File, digest: Digest) -> None:
        """Add ``file`` as ``image_path``; ``digest`` is that of its content."""
        self.entries[image_path] = file
        self.digests[image_path] = digest.hex

    def add_made(self, image_path: str, path: Path) -> None:
        """Add ``path``, a file that was made of the project and lies elsewhere: its text goes in as it is."""
        facts = self.index.of(path, path.stat(), code=self.code)
        content = OnDisk(path, path.stat().st_size) if facts.is_elf else Inline(path.read_bytes())
        self.put(image_path, File(content), Digest(facts.sha256))
        self._heed(image_path, facts)

    def lazy(self) -> LazyTree:
        """The tree of the collected files; its key is made of contents, modes and links, not of places and times."""
        tree = Tree(self.entries)
        modes = {path: entry.mode for path, entry in tree if not isinstance(entry, Symlink)}
        links = {path: entry.target for path, entry in tree if isinstance(entry, Symlink)}
        return LazyTree(key_of("app", code_key(__name__), self.digests, modes, links), lambda: tree)

    def _walk(self, path: Path) -> None:
        relative = path.relative_to(self.app.folder).as_posix()
        if self.stays_behind(path):
            return
        status = path.lstat()
        shown = f"{HOME}/{_text(path, relative)}"
        if path.name.startswith(WHITEOUT):
            raise ProjectError(
                f"{relative!r} can't go in: a layer takes such a name for the removal of another file",
                step=f"give it another name, or leave it out with  [tool.cannery]  exclude = [{relative!r}]",
            )
        if shown in self.present:
            return
        if stat.S_ISDIR(status.st_mode):
            self._folder(shown, path)
        elif stat.S_ISLNK(status.st_mode):
            target = _link(self.app.folder, path)
            if self.code and path.suffix == ".py" and path.is_file():
                self._file(shown, path.resolve())  # a copy: a link to x.py would have to become one to x.pyc
            else:
                self.entries[shown] = Symlink(target)
        elif stat.S_ISREG(status.st_mode):
            self._file(shown, path)
        else:
            raise ProjectError(
                f"{relative!r} is {_kind(status.st_mode)}: an image holds files, folders and links",
                step=f"remove it, or leave it out with  [tool.cannery]  exclude = [{relative!r}]",
            )

    def _folder(self, shown: str, path: Path) -> None:
        if is_environment(path):
            return
        inside = sorted(path.iterdir(), key=os.fsencode)
        for below in inside:
            self._walk(below)
        if not inside and not self.code:
            self.entries[shown] = Directory()  # a program may expect it

    def stays_behind(self, path: Path) -> bool:
        """True for what the settings exclude, and for what other settings or programs have made of the project."""
        relative = path.relative_to(self.app.folder).as_posix()
        cached = path.name == "__pycache__" or path.suffix in {".pyc", ".pyo"}
        return (
            cached
            or relative in self.left_out
            or path == self.app.archive
            or any(fnmatch.fnmatchcase(relative, pattern.rstrip("/")) for pattern in self.app.settings.exclude)
        )

    def _file(self, shown: str, path: Path) -> None:
        status = path.stat()
        facts = self.index.of(path, status, code=self.code)
        relative = path.relative_to(self.app.folder).as_posix()
        if facts.broken:
            if self._named:
                raise _no_python(path, facts)
            self.no_python[relative] = f"{facts.broken}, in line {facts.broken_at[0]}"
            return
        executable = bool(status.st_mode & stat.S_IXUSR)
        digest = Digest(facts.sha256)
        self.put(shown, File(OnDisk(path, status.st_size, digest), 0o755 if executable else 0o644), digest)
        self._heed(shown, facts)
        self.secrets[relative] = facts.secrets
        for name, line in facts.code.programs:
            self.programs.setdefault(name, f"{relative}:{line}")
        if facts.code.reads_source:
            self.source_readers.append(f"{relative}:{facts.code.reads_source}")

    def _heed(self, shown: str, facts: FileFacts) -> None:
        """Note what a file that goes in as ``shown`` names, and whether it's ELF."""
        self.imports.update(facts.code.imports)
        self.strings.update(facts.code.strings)
        self.paths.update(facts.code.paths)
        self.modules.update((shown, name) for name in facts.code.modules)
        self.libraries.update(facts.libraries)
        if facts.code.listing.line:
            self.listings[shown] = facts.code.listing
        for folder in (posixpath.dirname(shown), str(HOME)):
            named = {posixpath.normpath(posixpath.join(folder, name)) for name in facts.code.sources}
            self.named_sources.update(named - {shown})
        if facts.is_elf:
            self.native.add(shown)


def _no_python(path: Path, facts: FileFacts) -> ProjectError:
    line, text = facts.broken_at
    return ProjectError(
        f"{path}{f':{line}' if line else ''}: {facts.broken}",
        evidence=text,
        step="correct it, or leave it out of the image with  [tool.cannery]  exclude",
    )


def check_links(entries: Mapping[str, Entry]) -> None:
    """Raise :class:`ProjectError` for a link among ``entries`` whose target isn't among them."""
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


def _text(path: Path, relative: str) -> str:
    try:
        relative.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ProjectError(
            f"the name of {os.fsencode(path)!r} is not UTF-8: archives of images can't hold it",
            step="rename it, or leave it out with  [tool.cannery]  exclude",
        ) from error
    return relative


def _link(folder: Path, path: Path) -> str:
    """The target of the link ``path`` as it will stand in the image: relative, and within the project's ``folder``."""
    target = os.readlink(path)
    shown = path.relative_to(folder).as_posix()
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ProjectError(
            f"the link {shown!r} leads to nothing",
            evidence=f"{shown} -> {target}",
            step=f"remove it, or leave it out with  [tool.cannery]  exclude = [{shown!r}]",
        ) from error
    if not real.is_relative_to(folder):
        raise ProjectError(
            f"the link {shown!r} leads out of the project",
            evidence=f"{shown} -> {target}",
            step="put a copy of the file in its place, or leave it out with  [tool.cannery]  exclude",
        )
    return posixpath.relpath(real.as_posix(), path.parent.resolve().as_posix())


def _kind(mode: int) -> str:
    kinds = {stat.S_IFSOCK: "a socket", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    return kinds.get(stat.S_IFMT(mode), "no file")
