"""What can be run of a project by convention: a Django project, a package, a script, an application in a module."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from cannery.errors import ProjectError
from cannery.project.app import ApplicationEntry, Command, Found, ModuleEntry, ScriptEntry
from cannery.project.applications import applications
from cannery.project.django import MANAGE, django_applications
from cannery.project.modules import is_about_projects, is_read_by_tools, module_file, own_packages
from cannery.project.starts import Starts, one_of, run_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cannery.project.app import Application
    from cannery.project.startable import Startable

__all__ = ["RULES", "scripts_in"]

_SERVICES: Final = ("main", "app", "application", "asgi", "wsgi", "server", "api", "run")  # modules of services
_DEEP: Final = 3  # folders that an application's module lies in


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
    """An application in a module with a usual name in a package: ``app/main.py``, or else ``acme/api/main.py``.

    Raises :class:`ProjectError` where several packages have one in modules of the same name.
    """
    own = startable.own
    folders = [own.folder / root for root in own.roots]
    for _depth in range(_DEEP):
        folders = [inside for folder in folders for inside in _folders_in(folder)]
        for name in (*_SERVICES, "__init__"):
            paths = (path for folder in folders if (path := folder / f"{name}.py").is_file())
            served = {path: found for path in paths if (found := applications(own, path, usual=True))}
            if len(served) > 1:
                raise _several_served(found[0].reference for found in served.values())
            for path, found in served.items():
                return _served(path.relative_to(own.folder).as_posix(), found)
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


def _folders_in(folder: Path) -> Iterator[Path]:
    """The folders in ``folder`` that may be packages of the app."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name.isidentifier() and not is_about_projects(path.name):
            yield path


def _served(shown: str, found: tuple[Application, ...]) -> Starts:
    entry = ApplicationEntry(found, f"{shown} defines {found[0].attribute} and starts nothing")
    return Starts(Command("", entry), found=(Found("entry", _shown(found), shown),))


def _several_served(references: Iterable[str]) -> ProjectError:
    names = list(references)
    return ProjectError(
        "several packages have an application",
        evidence=", ".join(names),
        step=f'choose one in pyproject.toml:  [tool.cannery]  entry = "{names[0]}"',
    )


def _shown(found: Iterable[Application]) -> str:
    return next((f"the application {each.reference}" for each in found), "")
