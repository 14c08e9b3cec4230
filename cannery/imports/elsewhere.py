"""Modules that are found elsewhere than their names say: by folders put on ``sys.path``, and by finders of others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.imports.model import Mentions, Module

__all__ = ["Elsewhere"]

_FINDERS = "sys.meta_path"


@dataclass(frozen=True)
class Elsewhere:
    """Where else the modules that are ``known`` may be, by what was read so far."""

    known: Mapping[str, Module]
    mentions: Mapping[str, Mentions]  # of the modules that are reached

    def instead_of(self, name: str) -> Iterator[tuple[str, str]]:
        """(Module that brings it about, module that is found where ``name`` is imported, which is no module)."""
        yield from self.beside(name)
        for source, folder in self._folders:
            if f"{folder}.{name}" in self.known:
                yield source, f"{folder}.{name}"

    def beside(self, name: str) -> Iterator[tuple[str, str]]:
        """The same for any ``name`` that is imported, a module's or an attribute's."""
        for source, alias, package in (*self._aliases, *self._replaced):
            if name.startswith(f"{alias}.") and (other := package + name.removeprefix(alias)) in self.known:
                yield source, other
        for source in self._finders:
            if name.startswith(f"{source}."):
                yield from ((source, other) for other in self._vendored(source, name.removeprefix(source)))
                yield from ((source, other) for other in self._moved(source, name))

    @cached_property
    def _others(self) -> dict[str, Mentions]:
        """The mentions of what is not Python's own."""
        return {name: each for name, each in self.mentions.items() if name and self.known[name].place != "stdlib"}

    @cached_property
    def _folders(self) -> tuple[tuple[str, str], ...]:
        """(Source that changes ``sys.path`` and names a folder, package of that name within one that is reached)."""
        naming = {folder: name for name, each in self._others.items() for folder in each.folders}
        found = ((naming.get(name.rpartition(".")[2]), name) for name in self.known if "." in name)
        return tuple(
            (source, name)
            for source, name in found
            if source and self.known[name].package and name.partition(".")[0] in self.mentions
        )

    @cached_property
    def _finders(self) -> tuple[str, ...]:
        """The modules that add finders of their own."""
        return tuple(name for name, each in self._others.items() if _FINDERS in each.attributes)

    @cached_property
    def _aliases(self) -> tuple[tuple[str, str, str], ...]:
        """(Source with a finder, package that it names, package that it loads by name and may put in its place)."""
        return tuple(
            (source, word, loaded.module)
            for source in self._finders
            for loaded in self._others[source].imports
            if loaded.by_name and loaded.module in self.known and self.known[loaded.module].package
            for word in sorted(self._others[source].words)
            if word != loaded.module.partition(".")[0]
        )

    @cached_property
    def _replaced(self) -> tuple[tuple[str, str, str], ...]:
        """(Source, name of a module, module that the source puts in its place)."""
        return tuple((source, *alias) for source, each in self._others.items() for alias in each.aliases)

    def _moved(self, source: str, name: str) -> Iterator[str]:
        """The module that ``source`` has below a package of its own making, as ``six.moves`` has ``configparser``."""
        _, _, other = name.removeprefix(f"{source}.").partition(".")
        if other in self.known and other in self._others[source].words | self._others[source].dotted:
            yield other

    def _vendored(self, source: str, rest: str) -> Iterator[str]:
        """The modules of that name, ``.rest``, in other packages of the same distribution."""
        top = source.partition(".")[0]
        return (name for name in self.known if name.endswith(rest) and name.startswith(f"{top}."))
