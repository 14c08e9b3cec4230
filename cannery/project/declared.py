"""What a project's files say that is run: a Procfile, its console scripts, a Dockerfile."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from cannery.errors import CanneryError, ProjectError
from cannery.project.app import Command, Found, NamedEntry
from cannery.project.dockerfile import read_dockerfile
from cannery.project.procfile import read_procfile
from cannery.project.servers import SERVERS, bound, listening, server_called
from cannery.project.setup_scripts import setup_scripts
from cannery.project.shell import NeedsShell
from cannery.project.startable import needs_shell, settings_for
from cannery.project.starts import Starts, one_of, typed_command

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from cannery.project.settings import Settings
    from cannery.project.startable import Startable

__all__ = ["of_dockerfile", "of_procfile", "of_script_files", "of_scripts"]

_SHOWN: Final = 6  # names in a note
_USUAL: Final = ("web", "worker")  # processes that an app mainly is, the first of them before the second


def of_procfile(startable: Startable, settings: Settings) -> Starts | None:
    """The process ``web`` of a Procfile, or else ``worker``, or its only one; the others are commands.

    Raises :class:`ProjectError` where it has several, and neither of these.
    """
    processes = read_procfile(startable.folder)
    if not processes:
        return None
    name = _main_process(processes)
    main = _heard(startable.line(processes[name], "Procfile", settings.env), startable.folder, settings)
    found = [Found("entry", typed_command(main), "Procfile")]
    others = []
    for other, text in processes.items():
        if other != name:
            try:
                others.append(startable.line(text, "Procfile", settings.env, other))
                found.append(Found(f"commands.{other}", text, "Procfile"))
            except CanneryError as error:
                found.append(Found(f"commands.{other}", f"not taken: {error.evidence.splitlines()[-1]}", "Procfile"))
    return Starts(main, tuple(others), tuple(found))


def of_scripts(startable: Startable, distribution: str | None, commands: Collection[str] = ()) -> Starts | None:
    """The only console script, or the one that is called like the project; the others but ``commands`` are told."""
    if not startable.scripts:
        return None
    name = one_of(startable.scripts, distribution, "[project.scripts] names several scripts")
    entry = startable.function(name, startable.scripts[name], "[project.scripts]")
    others = sorted(startable.scripts.keys() - {name, *commands})
    return Starts(
        Command("", entry),
        found=(Found("entry", name, "[project.scripts]"),),
        notes=(_left_out(others),) if others else (),
    )


def of_script_files(startable: Startable, distribution: str | None, commands: Collection[str] = ()) -> Starts | None:
    """The only file that setuptools installs as a script, or the one that is called like the project."""
    files = setup_scripts(startable.folder)
    if not files:
        return None
    name = one_of(files, distribution, "setuptools installs several scripts")
    others = sorted(each for each in files if each != name and each.rpartition("/")[2] not in commands)
    return Starts(
        Command("", startable.named(name, "scripts")),
        found=(Found("entry", name, "setuptools' scripts"),),
        notes=(_left_out(others),) if others else (),
    )


def _left_out(scripts: Sequence[str]) -> str:
    """A note on scripts of the project that the image has not."""
    first, more = scripts[0], len(scripts) - _SHOWN
    names = ", ".join([*scripts[:_SHOWN], *([f"and {more} more"] if more > 0 else [])])
    key = first if re.fullmatch(r"[\w-]+", first) else f'"{first}"'
    return (
        f"stays out, as the image starts another script of the project: {names}; what it's to start, too, goes in by  "
        f'[tool.cannery]  commands = {{ {key} = "{first}" }}'
    )


def of_dockerfile(startable: Startable, settings: Settings, requirements: Callable[[], str]) -> Starts | None:
    """What a Dockerfile starts; ``requirements`` gives the text of the file that has them.

    Raises :class:`CanneryError` where it can't be had without a shell, or isn't Python's.
    """
    try:
        start = read_dockerfile(startable.folder)
    except NeedsShell as error:
        raise needs_shell(error.text, "the Dockerfile", error) from None
    if start is None:
        return None
    env = {**start.env, **settings.env}
    main = _heard(startable.command(start.command, start.file, env), startable.folder, settings)
    if isinstance(main.entry, NamedEntry) and not _likely(main.entry, requirements):
        raise ProjectError(
            f"{start.file} starts {main.entry.name!r}, which no requirement names",
            evidence=start.text,
            step='name what starts in pyproject.toml:  [tool.cannery]  entry = "main.py"',
        )
    found = [Found("entry", typed_command(main), start.file)]
    if start.env:
        found.append(Found("env", ", ".join(f"{name}={value}" for name, value in start.env.items()), start.file))
    return Starts(replace(main, ports=main.ports or start.ports), found=tuple(found), env=start.env)


def _main_process(processes: Mapping[str, str]) -> str:
    name = next((usual for usual in _USUAL if usual in processes), None)
    if name is None and len(processes) > 1:
        raise ProjectError(
            f"the Procfile names several processes, and none is called {' or '.join(_USUAL)}",
            evidence="\n".join(f"{each}: {text}" for each, text in processes.items()),
            step=f"choose one in pyproject.toml:  {settings_for(next(iter(processes.values())))}",
        )
    return name or next(iter(processes))


def _likely(entry: NamedEntry, requirements: Callable[[], str]) -> bool:
    """True where the requirements name a distribution that is called like the program, or as its first word.

    Modules of the standard library and servers need not be named there.
    """
    first = entry.name.partition(":")[0].partition(".")[0].partition("-")[0]
    known = server_called(entry.name) is not None or (entry.module and first in sys.stdlib_module_names)
    return known or first.lower() in requirements().lower()


def _heard(main: Command, folder: Path, settings: Settings) -> Command:
    """The command, with the arguments that let a server be heard outside of its container, where it has none."""
    name = main.entry.name if isinstance(main.entry, NamedEntry) else ""
    files = [server.config for server in SERVERS if server.config and (folder / server.config).is_file()]
    address = bound(name, main.arguments, files)
    if not address:
        return main
    arguments = (*main.arguments, *address)
    return replace(main, arguments=arguments, ports=listening(arguments, settings.env))
