"""Modules read: what each mentions, remembered for as long as the tree that it lies in doesn't change."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.image.tree import File, Symlink
from cannery.imports.extension import read_binary, read_cython
from cannery.imports.model import Mentions
from cannery.imports.source import read_source
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cannery.image.tree import Tree
    from cannery.imports.model import Host, Module
    from cannery.imports.places import Place
    from cannery.workspace.workspace import Workspace

__all__ = ["MentionIndex"]

_CYTHON = (".pyx", ".pxi")


@dataclass
class MentionIndex:
    """The mentions of modules, each read once and remembered under the key of the tree that the module lies in."""

    places: Sequence[Place]
    modules: Mapping[str, Module]
    host: Host
    workspace: Workspace
    mains: frozenset[str] = frozenset()  # modules that are run, beside those that are called __main__
    groups: frozenset[str] = frozenset()  # of entry points
    _trees: dict[str, Tree] = field(init=False)
    _known: dict[str, dict[str, Any]] = field(init=False)
    _new: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self._trees = {place.kind: place.tree.tree for place in self.places}
        self._known = {
            place.kind: self.workspace.cache.recall("mentions", self._key(place)) or {} for place in self.places
        }

    @cached_property
    def _tops(self) -> frozenset[str]:
        """The top-level modules of the dependencies: those that an extension module's strings may name."""
        found = {name.partition(".")[0] for name, module in self.modules.items() if module.place == "dependencies"}
        return frozenset(found)

    def _key(self, place: Place) -> str:
        groups = () if place.kind == "stdlib" else sorted(self.groups)
        return key_of("mentions", code_key(__name__), place.tree.key, self.host.version, self.host.platform, groups)

    def of(self, name: str, module: Module) -> Mentions:
        """The mentions of the module ``name``."""
        known = self._known[module.place]
        label = f"{name} {module.path}{' run' * (name in self.mains)}"
        if label not in known:
            known[label] = msgspec.to_builtins(self._read(name, module))
            self._new.add(module.place)
        return msgspec.convert(known[label], Mentions)

    def save(self) -> None:
        """Remember all that was read."""
        for place in self.places:
            if place.kind in self._new:
                self.workspace.cache.remember("mentions", self._key(place), self._known[place.kind])

    def _read(self, name: str, module: Module) -> Mentions:
        tree = self._trees[module.place]
        if module.kind == "extension":
            return self._read_extension(name, module, tree)
        source = _bytes(tree, module.path) or b""
        groups = frozenset() if module.place == "stdlib" else self.groups
        main = name in self.mains or name.rpartition(".")[2] == "__main__"
        mentions = read_source(source, self.host, main=main, place=module.place, groups=groups)
        if mentions.stub and (stub := _bytes(tree, f"{module.path}i")) is not None:
            also = read_source(stub, self.host)
            return msgspec.structs.replace(mentions, imports=(*mentions.imports, *also.imports))
        return mentions

    def _read_extension(self, name: str, module: Module, tree: Tree) -> Mentions:
        """The mentions of the source beside the extension module, and what its own strings name.

        Of the strings, words alone count only where there is no source. What the source needs to be imported, the
        extension module doesn't: it's imported in the place of the source.
        """
        entry = tree.entries[module.path]
        if module.place == "stdlib" or not isinstance(entry, File):
            return Mentions()
        own = read_binary(entry.content, name, self._tops, self.modules)
        written = self._read_beside(module.path, tree)
        if written is None:
            return own
        return msgspec.structs.replace(
            written,
            imports=tuple(msgspec.structs.replace(each, needed=False) for each in written.imports),
            dotted=written.dotted | own.dotted,
            binary=frozenset(filter(self._is_extension, own.binary)),  # mypyc's, which no source names
            refuses=False,
        )

    def _is_extension(self, name: str) -> bool:
        return name in self.modules and self.modules[name].kind == "extension"

    def _read_beside(self, path: str, tree: Tree) -> Mentions | None:
        """The mentions of the source that the extension module at ``path`` is made of; None where it isn't there."""
        stem = f"{posixpath.dirname(path)}/{posixpath.basename(path).partition('.')[0]}"
        if (source := _bytes(tree, f"{stem}.py")) is not None:
            return read_source(source, self.host)
        if f"{stem}.pyx" not in tree:
            return None
        folder = f"{posixpath.dirname(path)}/"
        parts = [each for each in sorted(tree.entries) if each.startswith(folder) and each.endswith(_CYTHON)]
        return read_cython(b"\n".join(_bytes(tree, each) or b"" for each in parts))


def _bytes(tree: Tree, path: str) -> bytes | None:
    """The content of the file at ``path``, links followed within the tree; None where there is no file."""
    entry = tree.entries.get(path)
    while isinstance(entry, Symlink):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
        entry = tree.entries.get(path)
    if not isinstance(entry, File):
        return None
    with entry.content.open() as stream:
        return stream.read()
