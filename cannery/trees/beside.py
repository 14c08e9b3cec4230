"""Files and folders beside an app's modules: those that its code or a convention names go in, the others are told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from cannery.errors import ProjectError, did_you_mean
from cannery.image.tree import File
from cannery.project.app import HOME
from cannery.project.modules import is_about_projects, is_environment
from cannery.project.secrets import unallowed
from cannery.trees.collect import Collected, check_links
from cannery.trees.own import started_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.project.app import App
    from cannery.trees.own import OwnFiles

__all__ = ["BesideData", "add_data", "notes_on_files"]

_SHOWN = 6  # names in a note
_LARGE = 10 * 10**6  # bytes
_TESTS = {"test", "tests"}  # folders that stay out, whatever names them


class BesideData(msgspec.Struct, frozen=True):
    """The data that went in because something names it, and what of that did not."""

    sizes: dict[str, int]  # of files and folders, relative to the project, in bytes
    kept_out: dict[str, str]  # files of these that stayed out, and why
    left: tuple[str, ...]  # folders beside the app's modules that nothing names


def add_data(resources: Collected, code: Collected, own: OwnFiles) -> BesideData:
    """Add to ``resources`` the data beside the modules of ``code`` that their strings or a convention names.

    Nobody asked for it in as many words, so what would be refused elsewhere, such as a secret, stays out.
    """
    app = resources.app
    strings = sorted({*code.strings, *started_with(app)})
    sizes: dict[str, int] = {}
    kept_out: dict[str, str] = {}
    named = (*own.data_of_strings(strings, code.paths - _TESTS), *own.conventional_data(), *own.opened_data())
    others = (app.folder / name for name, _ in app.looked_for)
    for path in dict.fromkeys((*named, *others)):
        name = path.relative_to(app.folder).as_posix()
        found = Collected(app, resources.index, code=False, present=code.entries.keys() | resources.entries.keys())
        try:
            found.add(path)
            _drop_secrets(found, kept_out)
            check_links({**code.entries, **resources.entries, **found.entries})
        except ProjectError as error:
            kept_out[name] = error.what
            continue
        if found.entries:
            sizes[name] = _add(found, resources)
    taken = _tops(code, resources)
    for name in set(own.seldom_data(strings)) - taken:
        kept_out[name] = f"it is seldom a part of a program; where it is, set  [tool.cannery]  resources = [{name!r}]"
    return BesideData(sizes, kept_out, tuple(_left(own, code, taken)))


def _add(found: Collected, resources: Collected) -> int:
    """Add what was ``found`` to the ``resources``; returns its size in bytes."""
    resources.entries.update(found.entries)
    resources.digests.update(found.digests)
    resources.native.update(found.native)
    return sum(entry.content.size for entry in found.entries.values() if isinstance(entry, File))


def _tops(*parts: Collected) -> set[str]:
    """The names in the project's folder of which something went in."""
    return {path.split("/")[2] for part in parts for path in part.entries if path.startswith(f"{HOME}/")}


def _drop_secrets(found: Collected, kept_out: dict[str, str]) -> None:
    for path, secret in unallowed(found.app.settings.allow_secrets, found.secrets):
        shown = f"{HOME}/{path}"
        line = f", in line {secret.line}" if secret.line else ""
        kept_out[path] = f"it looks like a secret ({secret.told}{line})"
        found.entries.pop(shown, None)
        found.digests.pop(shown, None)


def _left(own: OwnFiles, code: Collected, taken: set[str]) -> Iterator[str]:
    """The folders beside the app's modules of which nothing was ``taken``, though they may be meant for the program."""
    app = own.app
    if app.distribution is not None and not own.scripts:
        return  # its wheel wouldn't have them either
    for name in sorted(own.names - taken):
        folder = app.folder / name
        unnamed = folder.is_dir() and not is_about_projects(name) and not code.stays_behind(folder)
        if unnamed and not is_environment(folder) and _holds_files(folder):
            yield name


def _holds_files(folder: Path) -> bool:
    return any(names for _, _, names in os.walk(folder))


def notes_on_files(app: App, code: Collected, data: BesideData) -> Iterator[str]:
    """Notes on what went in without being asked for, on what stayed out, and on settings that match nothing."""
    for path, what in sorted(code.no_python.items()):
        yield f"{path} is no Python ({what}), and nothing imports it: it stays out"
    by = {name: source for name, source in app.looked_for if name in data.sizes}
    shown = {name: f"{name} ({size / 1e6:,.0f} MB)" if size > _LARGE else name for name, size in data.sizes.items()}
    if own := tuple(text for name, text in shown.items() if name not in by):
        why = "the code, a convention or a traced run" if app.seen.opened else "the code or a convention"
        yield f"goes in, as {why} names it: {_listed(own)}"
    for name, source in by.items():
        yield f"goes in, as {source} of the dependencies looks for it: {shown[name]}"
    for path, why in sorted(data.kept_out.items()):
        yield f"stays out, though the code or a convention names it: {path}: {why}"
    if data.left:
        first = data.left[0]
        yield (
            f"stays out, as no code names it: {_listed(data.left)}; what the program reads goes in by  [tool.cannery]  "
            f"resources = [{first!r}]"
        )
    yield from _unmatched(app)


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return ", ".join([*names[:_SHOWN], *([f"and {more} more"] if more > 0 else [])])


def _unmatched(app: App) -> Iterator[str]:
    """Notes on patterns of ``exclude`` that match nothing, as far as the part before their first ``*`` tells."""
    for pattern in app.settings.exclude:
        certain = pattern.partition("*")[0].partition("?")[0].partition("[")[0]
        path = certain.rstrip("/") if certain == pattern or certain.endswith("/") else certain.rpartition("/")[0]
        if path and not os.path.lexists(app.folder / path):
            hint = did_you_mean(path, (each.name for each in app.folder.iterdir()))
            yield f"exclude names {pattern!r}, and nothing in the project is called that{'; ' if hint else ''}{hint}"
