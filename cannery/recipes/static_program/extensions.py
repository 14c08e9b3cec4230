"""Extension modules, which a static executable can't load: left out where the program does without, else refused."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cannery.errors import ProjectError
from cannery.image.tree import Transform
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cannery.imports.model import Module, Reach
    from cannery.imports.places import Place

__all__ = ["Reduced", "without_extensions"]

_LIBRARY = (".so",)


@dataclass(frozen=True, slots=True)
class Reduced:
    """The places without the extension modules that the program does without, and what it reaches then."""

    places: Sequence[Place]
    reach: Reach
    notes: tuple[str, ...]  # on what was left out


def without_extensions(
    places: Sequence[Place],
    reach_in: Callable[[Sequence[Place]], Reach],
    wanted: Callable[[], frozenset[str]] = frozenset,
) -> Reduced:
    """What ``reach_in`` finds in ``places`` once no extension module is reached any more.

    One is left out where whoever imports it goes on without it ("except ImportError"), and where its source lies beside
    it. Raises :class:`ProjectError` for any other, and for those of the top-level modules that are ``wanted``, where
    nothing of them is used by anybody who doesn't go on without: they were required for that.
    """
    reach = reach_in(places)
    left_out: dict[str, Module] = {}
    while found := {name: module for name, module in reach.modules.items() if module.kind == "extension"}:
        alone = {name for name in found if not _has_source(found[name], places)}
        needed = {name for name in alone if name not in reach.optional or _is_required_for(name, reach, wanted)}
        if needed:
            raise _refusal(reach, needed)
        left_out |= found
        gone = frozenset(module.path for module in found.values())
        places = [replace(place, tree=place.tree | _less(gone)) for place in places]
        before, reach = reach, reach_in(places)
        if broken := {name for name in found if name in reach.broken}:
            raise _refusal(before, broken)  # its source is for its compiler alone
    return Reduced(places, reach, (*_left_out(left_out), *_libraries(reach)))


def _less(paths: frozenset[str]) -> Transform:
    key = key_of("less", code_key(__name__), sorted(paths))
    return Transform(key, lambda tree: tree.filter(lambda path, _: path not in paths))


def _is_required_for(name: str, reach: Reach, wanted: Callable[[], frozenset[str]]) -> bool:
    """True for a module of a package that is wanted, and that others than the app go on without."""
    top = _top(name)
    if top not in wanted() or any(_top(each) == top and each not in reach.optional for each in reach.modules):
        return False
    importer = next(reason.importer for _, reason in reach.why(name) if _top(reason.importer) != top)
    return importer in reach.modules and reach.modules[importer].place != "app"


def _top(name: str) -> str:
    return name.partition(".")[0]


def _has_source(module: Module, places: Sequence[Place]) -> bool:
    stem = f"{posixpath.dirname(module.path)}/{posixpath.basename(module.path).partition('.')[0]}"
    return any(f"{stem}.py" in place.tree.tree for place in places)


def _left_out(modules: dict[str, Module]) -> tuple[str, ...]:
    if not modules:
        return ()
    names = ", ".join(sorted(modules))
    return (f"left out, as a static executable loads no extension modules and what imports them does without: {names}",)


def _libraries(reach: Reach) -> tuple[str, ...]:
    """A note on shared libraries among the data of packages, which ctypes could not open."""
    found = [path for path in reach.data if path.endswith(_LIBRARY) or ".so." in posixpath.basename(path)]
    return tuple(
        f"{path} is a shared library, which a static executable can't open (ctypes): take the recipe tiny or scratch "
        "if the program needs it"
        for path in found
    )


def _refusal(reach: Reach, names: set[str]) -> ProjectError:
    tops = sorted(set(map(_top, names)))
    listed = ", ".join(f'"{name}"' for name in sorted(names))
    return ProjectError(
        f"{', '.join(tops)} {'needs' if len(tops) == 1 else 'need'} dynamic loading, which a static executable has not",
        evidence="\n".join(
            f"{reach.modules[name].path}: {' < '.join(step for step, _ in reach.why(name))}" for name in sorted(names)
        ),
        step="take the recipe tiny or scratch; or, where the program does without, leave it out: "
        f"[tool.cannery.static]  without = [{listed}]",
    )
