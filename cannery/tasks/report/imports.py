"""The report of a program's imports: how many there are, or what leads to one of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.imports.model import Reach, Reason

__all__ = ["ImportsReport"]

_WORDS: Final = {
    "started": "the program begins with it",
    "imported": "imported by {}",
    "parent": "{} lies in it",
    "named": "named in {}",
    "own": "one of the app's own modules",
    "native": "imported by {}, an extension module",
    "codec": "{} asks for that encoding",
    "entry point": "an entry point of a group that {} asks for",
    "start-up": "a .pth file imports it when Python starts",
    "pickled": "named in a pickle, in the data of {}",
    "included": "included by [tool.cannery] include",
    "data": "a package of nothing but data, as {} is there",
    "traced": "imported by {} in the run that [tool.cannery] trace names",
}


@dataclass(frozen=True, slots=True)
class ImportsReport:
    """The modules that a program imports."""

    reach: Reach
    why: str | None  # the module that is asked about; None: all together

    def as_json(self) -> Any:
        """The whole analysis in JSON's types."""
        import msgspec  # noqa: PLC0415

        return msgspec.to_builtins(self.reach)

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        return _reasons(self.reach, self.why) if self.why else _overview(self.reach)


def _overview(reach: Reach) -> Iterator[str]:
    """The numbers of modules, then the modules that are missing and the lines that no analysis can read."""
    counts = Counter(module.place for module in reach.modules.values())
    yield f"{counts['app']:>6,}  modules of the app"
    yield f"{counts['dependencies']:>6,}  modules of its dependencies"
    yield f"{counts['stdlib']:>6,}  modules of the standard library"
    yield f"{len(reach.left_out):>6,}  modules that are there and that nothing imports"
    unmet = {name: missing.importers for name, missing in reach.missing.items() if missing.needed}
    own = {name: found for name, importers in unmet.items() if (found := _own(importers, reach)) is not None}
    yield from (
        f"missing  {name}, which {own[name] or 'the program'} imports: add it to the requirements" for name in own
    )
    if others := sorted({name.partition(".")[0] for name in unmet.keys() - own.keys()}):
        yield f"absent   {', '.join(others)}: imported by parts of the dependencies, which only work with them"
    for name, lines in reach.dynamic.items():
        if reach.modules[name].place == "app":
            where = ", ".join(map(str, lines))
            yield f"unread   {name}, line {where}: loads a module whose name only a run can tell; see include and trace"


def _own(importers: Sequence[str], reach: Reach) -> str | None:
    """The first of the ``importers`` that is the app's; empty for the program itself, None where none is."""
    modules = reach.modules
    return next((name for name in importers if not name or (name in modules and modules[name].place == "app")), None)


def _reasons(reach: Reach, name: str) -> Iterator[str]:
    """The way to a module from the program's start, or why there is none."""
    way = reach.why(name)
    yield from (f"{module}: {_said(reason)}" for module, reason in way)
    if name in reach.broken:
        lack = reach.broken[name]
        yield f"{name}: can't be imported" + (f", as {lack} is missing" if lack else " on this platform")
    elif way:
        return
    elif name in reach.left_out:
        yield f'{name}: nothing imports it; if something loads it by name, add  include = ["{name}"]'
    elif name in reach.missing:
        importers = ", ".join(reach.missing[name].importers)
        yield f"{name}: nowhere to be found; imported by {importers}"
    else:
        yield f"{name}: there is no such module, and nothing imports one"


def _said(reason: Reason) -> str:
    return _WORDS[reason.how].format(reason.importer or "the app")
