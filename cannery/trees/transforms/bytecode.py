"""Sources become bytecode: ``x.py`` is replaced by ``x.pyc``, which imports load with no source at all (PEP 3147)."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.errors import ProjectError
from cannery.image.tree import Decision, Entry, File, Symlink, Transform, Tree
from cannery.project.modules import imported_as, named_by
from cannery.trees.transforms.read_sources import named_sources
from cannery.trees.transforms.source_bytecode import SourceBytecode, compile_sources
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["bytecode"]

_LONGEST_NAME = 255  # bytes, on most file systems


def bytecode(
    interpreter: Interpreter,
    workspace: Workspace,
    *,
    optimize: int = 0,
    keep_sources: tuple[str, ...] = (),
    drop_sources: tuple[str, ...] = (),
    import_roots: tuple[str, ...] = (),
    scripts: frozenset[str] = frozenset(),
    read: frozenset[str] = frozenset(),
    strict: bool = False,
    positions: bool = True,
) -> Transform:
    """The transform for ``interpreter``; ``optimize`` counts as ``python -O`` does.

    Without ``positions``, bytecode that lies beside no source says of an instruction on which line it is and no more:
    tracebacks show where in a line something happened only beneath the line itself (PEP 657).
    The modules and packages that ``keep_sources`` names keep their sources beside the bytecode, and so does a file that
    another one names or that is ``read``, but for the interpreter's own and ``drop_sources``; ``import_roots`` are the
    folders of the image that their names start from, beside those of the interpreter. The ``scripts`` are run by the
    path of their bytecode, which tracebacks show for them where no source lies beside it: programs look for files
    beside that of a caller, and for a caller that has one. A file that is no Python stays as it is, or raises
    :class:`ProjectError` when ``strict``.
    """
    roots = (*import_roots, interpreter.image_site_packages, interpreter.image_stdlib)
    made = _Bytecode(
        interpreter, workspace, roots, optimize, keep_sources, drop_sources, scripts, read, strict, positions
    )
    return Transform(made.key, made.apply)


@dataclass(frozen=True)
class _Bytecode:
    """How sources become bytecode; the arguments of :func:`bytecode`."""

    interpreter: Interpreter
    workspace: Workspace
    roots: tuple[str, ...]  # folders of the image that modules' names start from
    optimize: int
    keep_sources: tuple[str, ...]
    drop_sources: tuple[str, ...]
    scripts: frozenset[str]
    read: frozenset[str]
    strict: bool
    positions: bool

    @property
    def key(self) -> str:
        """Changes with whatever decides about the bytecode, but for the sources."""
        return key_of(
            "bytecode", code_key(__name__), self.interpreter.cache_tag, self.interpreter.compiler, self.roots,
            self.optimize, self.keep_sources, self.drop_sources, sorted(self.scripts), sorted(self.read), self.strict,
            self.positions,
        )  # fmt: skip

    def apply(self, tree: Tree) -> Tree:
        """The tree with bytecode in place of sources."""
        sources = {path: file for path, file in tree.files() if path.endswith(".py")}
        named = self._named(sources)
        kept = named | {path for path in sources if named_by(imported_as(path, self.roots), self.keep_sources)}
        made = self._made(sources, kept)
        if made.refused and self.strict:
            path, message = next(iter(made.refused.items()))
            step = "correct it, or leave it out with  [tool.cannery]  exclude"
            raise ProjectError(f"{path} {self._no_python}", evidence=message, step=step)
        kept &= made.files.keys()
        run = {_sourceless(path): made.files[path] for path in kept & self.scripts}
        return Tree({**self._replaced(tree, made.files, kept), **run}, self._decisions(sources, made, named))

    def _named(self, sources: Mapping[str, File]) -> set[str]:
        """The sources that something names, or reads."""
        named = named_sources({path: file for path, file in sources.items() if not self.interpreter.owns(path)})
        named |= self.read & sources.keys()
        return {path for path in named if not named_by(imported_as(path, self.roots), self.drop_sources)}

    def _made(self, sources: Mapping[str, File], kept: set[str]) -> SourceBytecode:
        """The bytecode of all; with positions where its source is ``kept`` beside it."""
        names = {path: _sourceless(path) for path in self.scripts - kept}
        made = SourceBytecode()
        for shown in (True, False) if kept and not self.positions else (self.positions,):
            some = {path: file for path, file in sources.items() if self.positions or (path in kept) == shown}
            made += compile_sources(
                some, self.interpreter, self.workspace, optimize=self.optimize, positions=shown, names=names
            )
        return made

    @property
    def _no_python(self) -> str:
        return f"is no Python {self.interpreter.version_text}"

    def _decisions(self, sources: Mapping[str, File], made: SourceBytecode, named: set[str]) -> tuple[Decision, ...]:
        return (
            *(_decision(path, f"it {self._no_python}: {why}", sources[path]) for path, why in made.refused.items()),
            *(_decision(_sourceless(path), why, made.files[path], "shorten") for path, why in made.longer.items()),
            *(_decision(path, "something names it, and may read it", sources[path], "drop") for path in sorted(named)),
        )

    def _replaced(self, tree: Tree, made: Mapping[str, File], kept: set[str]) -> dict[str, Entry]:
        """The entries of ``tree`` with bytecode in place of sources, or beside those that are ``kept``."""
        entries: dict[str, Entry] = {}
        for path, entry in tree:
            if path in kept:
                entries[path] = entry
                entries[self._beside(path)] = made[path]
            elif path in made:
                entries[_sourceless(path)] = made[path]
            elif isinstance(entry, Symlink) and _target(path, entry) in made.keys() - kept:
                entries[f"{path}c" if path.endswith(".py") else path] = Symlink(f"{entry.target}c")
            else:
                entries[path] = entry
        return entries

    def _beside(self, path: str) -> str:
        """Where bytecode lies beside its source (PEP 3147)."""
        folder, name = posixpath.split(path)
        optimized = f".opt-{self.optimize}" if self.optimize else ""
        return f"{folder}/__pycache__/{name.removesuffix('.py')}.{self.interpreter.cache_tag}{optimized}.pyc"


def _decision(path: str, why: str, file: File, tried: str = "make bytecode") -> Decision:
    return Decision(path, tried, why, file.content.size)


def _sourceless(path: str) -> str:
    """Where bytecode lies that is loaded with no source at all."""
    if len(os.fsencode(posixpath.basename(path))) >= _LONGEST_NAME:
        raise ProjectError(
            f"the name of {path} is too long: that of its bytecode has one letter more, and no file system takes that",
            step="choose a shorter name, or leave it out with  [tool.cannery]  exclude",
        )
    return f"{path}c"


def _target(path: str, link: Symlink) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), link.target))
