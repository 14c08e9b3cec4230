"""What can be run of a project by convention: a Django project, a package, a script, an application in a module."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from cannery.project.app import ApplicationEntry, Command, Found, ModuleEntry, ScriptEntry
from cannery.project.applications import applications
from cannery.project.django import MANAGE, django_applications
from cannery.project.modules import is_about_projects, is_read_by_tools, module_file, own_packages
from cannery.project.starts import Starts, one_of, run_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cannery.project.app import Application
    from cannery.project.own_code import OwnCode
    from cannery.project.startable import Startable

__all__ = ["RULES", "scripts_in"]

_SERVICES: Final = ("main", "app", "application", "asgi", "wsgi", "server", "api", "run")  # modules of services


def of_django(startable: Startable, _: str | None) -> Starts | None:
    """The application of a Django project; what ``manage.py`` does is a command beside it."""
    found = django_applications(startable.own)
    if found is None:
        return None
    told = f"{MANAGE} is for administration, and a Django project is run by a server"
    manage = Command("manage", ScriptEntry(PurePosixPath(MANAGE)))
    notes = (Found("entry", _shown(found) or "a Django project", MANAGE), Found("commands.manage", MANAGE, MANAGE))
    return Starts(Command("", ApplicationEntry(found, told)), (manage,), notes)


def of_packages(startable: Startable, distribution: str | None) -> Starts | None:
    """A package with a ``__main__``."""
    own = startable.own
    runnable = [
        path.name
        for root in own.roots
        for path in own_packages(own.folder / root, namespaces=False)
        if module_file(path, "__main__") is not None
    ]
    if not runnable:
        return None
    name = one_of(runnable, distribution, "several packages have a __main__")
    return Starts(Command("", ModuleEntry(name)), found=(Found("entry", name, f"{name}.__main__"),))


def of_files(startable: Startable, _: str | None) -> Starts | None:
    """``main.py``, the only script, or the first with a usual name; in ``src`` where none lies at the top."""
    folder = startable.folder
    for place in (PurePosixPath(), PurePosixPath("src")):
        candidates = scripts_in(folder / place)
        usual = [f"{name}.py" for name in _SERVICES if f"{name}.py" in candidates]
        chosen = usual[:1] or (candidates if len(candidates) == 1 else [])
        if chosen:
            script = place / chosen[0]
            starts = run_of(replace(startable.own, roots=tuple(dict.fromkeys((place, *startable.own.roots)))), script)
            entry = starts.main.entry
            text = _shown(entry.candidates) if isinstance(entry, ApplicationEntry) else str(script)
            return replace(starts, found=(Found("entry", text, str(script)),))
    return None


def of_modules(startable: Startable, _: str | None) -> Starts | None:
    """An application in a module with a usual name in a package: ``app/main.py``."""
    own = startable.own
    for path in _modules_of_services(own):
        if found := applications(own, path, usual=True):
            shown = path.relative_to(own.folder).as_posix()
            entry = ApplicationEntry(found, f"{shown} defines {found[0].attribute} and starts nothing")
            return Starts(Command("", entry), found=(Found("entry", _shown(found), shown),))
    return None


RULES: Final = (of_django, of_packages, of_files, of_modules)


def scripts_in(folder: Path) -> list[str]:
    """The names of the files in ``folder`` that may be scripts of the app.

    Tests and helpers are among them where there is nothing else, and what only other tools read is never.
    """
    if not folder.is_dir():
        return []
    stems = (path.stem for path in sorted(folder.glob("*.py")) if path.is_file() and "." not in path.stem)
    scripts = [stem for stem in stems if not is_read_by_tools(stem) and stem not in {"__init__", "__main__"}]
    likely = [stem for stem in scripts if not is_about_projects(stem)]
    return [f"{stem}.py" for stem in likely or scripts]


def _modules_of_services(own: OwnCode) -> Iterator[Path]:
    for root in own.roots:
        for folder in sorted((own.folder / root).iterdir()):
            if folder.is_dir() and folder.name.isidentifier() and not is_about_projects(folder.name):
                names = (*_SERVICES, "__init__")
                yield from (path for name in names if (path := folder / f"{name}.py").is_file())


def _shown(found: Iterable[Application]) -> str:
    return next((f"the application {each.reference}" for each in found), "")
