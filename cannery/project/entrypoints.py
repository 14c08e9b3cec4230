"""What an app starts: what the settings name, checked, or what the project's files show.

Files are looked at in an order: those that say how the project runs (a Procfile, console scripts, a Dockerfile), then
those that can be run (a Django project, a package with ``__main__``, a script, an application in a module).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from msgspec import structs

from cannery.errors import CanneryError, ConfigurationError, ProjectError
from cannery.project.app import Command, FunctionEntry, NamedEntry, ScriptEntry
from cannery.project.modules import own_packages
from cannery.project.servers import listening
from cannery.project.starts import Starts, run_of
from cannery.python.program_names import is_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path, PurePosixPath

    from cannery.project.settings import Settings
    from cannery.project.startable import Startable

__all__ = ["NoEntryPointError", "find", "packages"]

_LOOKED_FOR: Final = (
    "looked for a Procfile, [project.scripts], a Dockerfile, setuptools' scripts, manage.py, a package with "
    "__main__.py, main.py, and modules with an application"
)
_NAME_ONE: Final = 'name one in pyproject.toml:  [tool.cannery]  entry = "main.py"  (or "package", "module:function")'

_ANOTHER_FOLDER: Final = "there is no Python in this folder: go to the project's, or name it:  --project FOLDER"


class NoEntryPointError(ProjectError):
    """A project has nothing to start, and names nothing: a library, say."""


def find(startable: Startable, settings: Settings, distribution: str | None, requirements: Callable[[], str]) -> Starts:
    """What the settings name, else what the project's files show; commands of the settings go with either.

    ``requirements`` gives the text of their file. Raises :class:`ConfigurationError` for an entry point that doesn't
    exist, :class:`ProjectError` where there is none, or where several are equally likely.
    """
    if settings.entry is not None:
        starts = _named(startable, settings.entry, settings)
    else:
        starts = _found(startable, settings, distribution, requirements)
    env = {**starts.env, **settings.env}
    own = [startable.line(text, f"commands.{name}", env, name) for name, text in settings.commands.items()]
    taken = {command.name for command in own}
    main = structs.replace(starts.main, arguments=settings.args) if settings.args else starts.main
    commands = (*own, *(command for command in starts.commands if command.name not in taken))
    _check_names(main, commands)
    return replace(starts, main=main, commands=commands)


def packages(folder: Path, roots: tuple[PurePosixPath, ...]) -> tuple[str, ...]:
    """The names of the project's own packages, without tests, documentation and the like."""
    return tuple(dict.fromkeys(path.name for root in roots for path in own_packages(folder / root, namespaces=False)))


def _named(startable: Startable, name: str, settings: Settings) -> Starts:
    entry = startable.named(name, "entry")
    starts = (
        run_of(startable.own, entry.path)
        if isinstance(entry, ScriptEntry) and entry.source is None
        else Starts(Command("", entry))
    )
    main = structs.replace(starts.main, arguments=settings.args, ports=listening(settings.args, settings.env))
    return replace(starts, main=main)


def _found(
    startable: Startable, settings: Settings, distribution: str | None, requirements: Callable[[], str]
) -> Starts:
    """What the project's files show, by the first rule that applies."""
    from cannery.project.conventional import RULES, scripts_in  # noqa: PLC0415  # many projects name it
    from cannery.project.declared import of_dockerfile, of_procfile, of_script_files, of_scripts  # noqa: PLC0415

    if (starts := of_procfile(startable, settings)) is not None:
        return starts
    refused: list[CanneryError] = []
    notes: list[str] = []

    def dockerfile() -> Starts | None:
        try:
            return of_dockerfile(startable, settings, requirements)
        except (ConfigurationError, ProjectError) as error:
            notes.append(_note_on_dockerfile(error))
            raise

    rules: list[Callable[[], Starts | None]] = [
        lambda: of_scripts(startable, distribution, settings.commands),
        dockerfile,
    ]
    if not startable.scripts:
        rules.append(lambda: of_script_files(startable, distribution, settings.commands))
        rules += [lambda rule=rule: rule(startable, distribution) for rule in RULES]  # type: ignore[misc]
    for rule in rules:
        try:
            if (starts := rule()) is not None:
                return replace(starts, notes=(*starts.notes, *notes))
        except (ConfigurationError, ProjectError) as error:
            refused.append(error)
    if refused:
        raise refused[0]
    scripts = ", ".join(scripts_in(startable.folder))
    raise NoEntryPointError(
        f"no entry point found in {startable.folder}",
        evidence=_LOOKED_FOR + (f"; there are several scripts: {scripts}" if scripts else ""),
        step=_NAME_ONE if _has_python(startable.folder) else _ANOTHER_FOLDER,
    )


def _has_python(folder: Path) -> bool:
    return (folder / "pyproject.toml").exists() or any(folder.glob("*.py")) or any(folder.glob("*/*.py"))


def _note_on_dockerfile(error: CanneryError) -> str:
    """A note on a Dockerfile whose command can't be taken, where what starts was found elsewhere."""
    command = error.evidence.partition("\n")[0]
    return f"{error.what}: {command}; what starts was found elsewhere, and where that does less, {error.step}"


def _check_names(main: Command, commands: Iterable[Command]) -> None:
    """Raise :class:`ConfigurationError` for a command that is called like Python, or like what starts anyway."""
    entry = main.entry
    program = entry.script if isinstance(entry, FunctionEntry) else ""
    program = entry.name if isinstance(entry, NamedEntry) else program
    for command in commands:
        if is_python(command.name) or command.name in {program, "start"}:
            raise ConfigurationError(
                f"a command can't be called {command.name!r}",
                evidence="the image has another program of that name",
                step="give it another name in  [tool.cannery]  commands",
            )
