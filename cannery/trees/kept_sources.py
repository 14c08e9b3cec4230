"""The sources of an app that stay beside their bytecode, as programs look for them by their names."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cannery.project.app import HOME
from cannery.project.modules import imported_as, named_by

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from cannery.imports.model import Reach
    from cannery.trees.collect import Collected
    from cannery.trees.source_listings import Listing

__all__ = ["listed_sources", "listers", "named_sources", "notes_on_sources"]

# What an Alembic environment has beside its versions (alembic.sqlalchemy.org, tutorial)
_ALEMBIC: Final = {"env.py", "script.py.mako"}


def listed_sources(paths: Iterable[str], listings: Mapping[str, Listing], roots: Iterable[str]) -> dict[str, str]:
    """Those of the image ``paths`` that are sources which something finds by listing their folder, with what does.

    ``listings`` has the sources that list. The folders that they name count, or else their own. In a folder with no
    ``__init__``, a module that no import can spell (``0001_initial.py``) is found so, too, with all beside it; so are
    the versions of an Alembic environment.
    """
    inside: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        inside[posixpath.dirname(path)].add(posixpath.basename(path))
    tops = {str(HOME), *roots}
    found = {folder: "" for folder, names in inside.items() if folder not in tops and _is_listed(folder, names, inside)}
    for source, listing in listings.items():
        own = posixpath.dirname(source)
        named = {posixpath.normpath(f"{place}/{name}") for place in (own, *tops) for name in listing.folders if name}
        there = [each for top in named - tops for each in _folders(top, inside, listing)]
        there = there or (_folders(own, inside, listing) if "" in listing.folders else [])
        found.update(dict.fromkeys(there, source))
    return {f"{folder}/{name}": by for folder, by in found.items() for name in inside[folder] if name.endswith(".py")}


def named_sources(reach: Reach, names: Iterable[str]) -> frozenset[str]:
    """The paths in the image of those reached sources that ``names`` has, as modules or as packages around them."""
    sources = (item for item in reach.modules.items() if item[1].kind == "source")
    return frozenset(module.path for name, module in sources if named_by(name, names))


def listers(code: Collected, listed: Mapping[str, str]) -> Iterator[str]:
    """The sources that look for ``*.py`` where none of the app's is, each with its line."""
    for source, listing in code.listings.items():
        if source not in listed.values():
            yield f"{source.removeprefix(f'{HOME}/')}:{listing.line}"


def notes_on_sources(code: Collected, listed: Mapping[str, str]) -> Iterator[str]:
    """Notes on the folders whose sources stay."""
    dropped = code.app.settings.drop_sources
    kept = [path for path in listed if path in code.entries]
    for source in dict.fromkeys(listed[path] for path in kept):
        files = [path for path in kept if listed[path] == source]
        modules = [imported_as(path, code.app.image_roots) for path in files]
        if not all(named_by(name, dropped) for name in modules):
            folders = sorted({posixpath.dirname(path).removeprefix(f"{HOME}/") or "." for path in files})
            line = f"{source.removeprefix(f'{HOME}/')}:{code.listings[source].line}" if source else ""
            why = f"{line} looks for files called *.py" if line else "programs find such files by their names"
            yield f"goes in with its sources, as {why}: {', '.join(folders)} (drop-sources lets them go)"


def _folders(top: str, inside: Collection[str], listing: Listing) -> list[str]:
    return [each for each in inside if each == top or (listing.deep and each.startswith(f"{top}/"))]


def _is_listed(folder: str, names: set[str], inside: dict[str, set[str]]) -> bool:
    above = inside.get(posixpath.dirname(folder), set())
    in_environment = posixpath.basename(folder) == "versions" and above >= _ALEMBIC
    sources = [name.removesuffix(".py") for name in names if name.endswith(".py")]
    return in_environment or ("__init__.py" not in names and not all(name.isidentifier() for name in sources))
