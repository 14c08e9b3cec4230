"""The modules for whose sake an app requires what it does: those of the distributions that it names itself."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.project.pylock import canonical
from cannery.project.requirement_names import required_names
from cannery.trees.top_levels import TOP_LEVELS

if TYPE_CHECKING:
    from cannery.image.tree import File, LazyTree
    from cannery.project.app import App

__all__ = ["wanted_modules"]

_INFO: Final = re.compile(r"([^/]+)-[^-/]+\.dist-info")
_REQUIRES: Final = re.compile(r"^Requires-Dist: *([A-Za-z0-9][\w.-]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _InstalledFacts:
    """What a distribution says of itself."""

    modules: frozenset[str]
    requires: frozenset[str]  # names, those that an extra requires among them


def wanted_modules(app: App, wheels: LazyTree) -> frozenset[str]:
    """The top-level modules of the distributions that ``app`` requires by name.

    A file that names all that is installed, as ``pip freeze`` writes it, doesn't tell these from what others require:
    then they are those that no other requires.
    """
    named = required_names(app)
    installed = _installed(wheels) if named else {}
    if named >= installed.keys():
        named = named.difference(*(each.requires for each in installed.values()))
    return frozenset(module for name, each in installed.items() if name in named for module in each.modules)


def _installed(wheels: LazyTree) -> dict[str, _InstalledFacts]:
    files = dict(wheels.tree.files())
    folders = {posixpath.dirname(path) for path in files if path.endswith("/METADATA")}
    named = ((folder, _INFO.fullmatch(posixpath.basename(folder))) for folder in folders)
    return {
        canonical(match[1]): _InstalledFacts(
            frozenset(_text(files.get(f"{folder}/{TOP_LEVELS}")).split()),
            frozenset(map(canonical, _REQUIRES.findall(_text(files[f"{folder}/METADATA"])))),
        )
        for folder, match in named
        if match
    }


def _text(file: File | None) -> str:
    if file is None:
        return ""
    with file.content.open() as stream:
        return stream.read().decode(errors="replace")
