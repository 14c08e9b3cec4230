"""Extension modules that a static executable can't load: left out where the program does without, else refused."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cannery.errors import ProjectError
from cannery.image.tree import Transform
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cannery.image.tree import Tree
    from cannery.imports.model import Module, Reach
    from cannery.imports.places import Place

__all__ = ["Reduced", "compiled_in", "extensions_in", "is_shared_library", "without_extensions"]

_LIBRARY: Final = re.compile(r"\.so(?:\.|$)")
_NAMED: Final = 3  # modules in a message
_NOT_WANTED: Final = "accelerators = false"


@dataclass(frozen=True, slots=True)
class Reduced:
    """The places without the extension modules that stay out, and what the program reaches then."""

    places: Sequence[Place]
    reach: Reach
    notes: tuple[str, ...]  # on what was left out
    libraries: tuple[str, ...]  # the paths of the extension modules that go in, and of libraries that may be opened


def without_extensions(
    places: Sequence[Place],
    reach_in: Callable[[Sequence[Place]], Reach],
    problem: Callable[[str], str | None],
    wanted: Callable[[], frozenset[str]] = frozenset,
    *,
    optional: bool = True,
) -> Reduced:
    """What ``reach_in`` finds in ``places`` once no extension module is reached any more that can't be loaded.

    ``problem`` tells why the one at a path can't. It's left out where whoever imports it goes on without it ("except
    ImportError"), and where its source lies beside it; so are those that can, unless the ``optional`` go in. Raises
    :class:`ProjectError` for any other, and for those of the top-level modules that are ``wanted``, where nothing of
    them is used by anybody who doesn't go on without: they were required for that.
    """
    reach = reach_in(places)
    left_out: dict[str, str] = {}
    while found := _in_the_way(reach, places, problem, wanted, optional=optional):
        if needed := {name: why for name, (why, is_needed) in found.items() if is_needed}:
            raise _refusal(reach, needed)
        left_out |= {name: why for name, (why, _) in found.items()}
        gone = frozenset(reach.modules[name].path for name in found)
        places = [replace(place, tree=place.tree | _less(gone)) for place in places]
        before, reach = reach, reach_in(places)
        if broken := {name: why for name, (why, _) in found.items() if name in reach.broken}:
            raise _refusal(before, broken)  # its source is for its compiler alone
    modules = extensions_in(reach).values()
    opened = {path: problem(path) for path in reach.data if is_shared_library(path)}
    libraries = (*modules, *(path for path, why in opened.items() if why is None))
    notes = (*_left_out(left_out), *(_unopened(path, why) for path, why in opened.items() if why is not None))
    return Reduced(places, reach, notes, libraries)


def is_shared_library(path: str) -> bool:
    """True for a path that is named as shared libraries are."""
    return _LIBRARY.search(posixpath.basename(path)) is not None


def extensions_in(reach: Reach) -> dict[str, str]:
    """The extension modules that are reached, with the paths of their libraries."""
    return {name: module.path for name, module in reach.modules.items() if module.kind == "extension"}


def compiled_in(reach: Reach, tree: Tree) -> dict[str, str]:
    """The app's modules that are sources in ``reach`` and compiled in ``tree``, with the paths of their libraries."""
    stems = {_stem(path): path for path in tree.entries if path.endswith(".so")}
    own = {
        name: stems.get(_stem(module.path))
        for name, module in reach.modules.items()
        if module.place == "app" and module.kind == "source" and module.path not in tree.entries
    }
    return {name: path for name, path in own.items() if path is not None}


def _in_the_way(
    reach: Reach,
    places: Sequence[Place],
    problem: Callable[[str], str | None],
    wanted: Callable[[], frozenset[str]],
    *,
    optional: bool,
) -> dict[str, tuple[str, bool]]:
    """The extension modules that may not be reached: why, and whether the program needs them."""
    found: dict[str, tuple[str, bool]] = {}
    for name, module in reach.modules.items():
        if module.kind != "extension":
            continue
        does_without = _has_source(module, places) or (
            name in reach.optional and not _is_required_for(name, reach, wanted)
        )
        if (why := problem(module.path)) is not None:
            found[name] = (why, not does_without)
        elif does_without and not optional:
            found[name] = (_NOT_WANTED, False)
    return found


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


def _stem(path: str) -> str:
    """The path without the suffix, which for extension modules has more than one dot."""
    folder, name = posixpath.split(path)
    return f"{folder}/{name.partition('.')[0]}"


def _has_source(module: Module, places: Sequence[Place]) -> bool:
    return any(f"{_stem(module.path)}.py" in place.tree.tree for place in places)


def _left_out(modules: Mapping[str, str]) -> Iterator[str]:
    """A note for each reason why modules were left out."""
    reasons: dict[str, list[str]] = {}
    for name, why in sorted(modules.items()):
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        yield f"left out, as what imports it does without: {', '.join(names)}: {why}"


def _unopened(path: str, why: str) -> str:
    return f"{path} is a shared library that can't be opened (ctypes): {why}: take the recipe tiny or scratch if needed"


def _refusal(reach: Reach, names: Mapping[str, str]) -> ProjectError:
    tops = sorted(set(map(_top, names)))
    left_out = sorted(names) if len(names) <= _NAMED else tops
    listed = ", ".join(f'"{name}"' for name in left_out)
    return ProjectError(
        f"{', '.join(tops)} can't be loaded by a static executable",
        evidence="\n".join(_evidence(reach, names)),
        step="take the recipe tiny or scratch; or, where the program does without, leave it out: "
        f"[tool.cannery.static]  without = [{listed}]",
    )


def _evidence(reach: Reach, names: Mapping[str, str]) -> Iterator[str]:
    """For each package and reason: a few modules, and who imports them."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, why in sorted(names.items()):
        groups.setdefault((_top(name), why), []).append(name)
    for (top, why), modules in groups.items():
        for name in modules[:_NAMED]:
            yield f"{reach.modules[name].path}: {why}"
            yield f"  {' < '.join(step for step, _ in reach.why(name))}"
        if len(modules) > _NAMED:
            yield f"and {len(modules) - _NAMED} more of {top}"
