"""The scripts of a bundled program: modules of ``payload/``, each with one call behind it that hands data over.

PyInstaller compiles them into the program, where no arguments reach them, so the call is the way for data. It's one
statement, made of names that the module defines or imports, and of literals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.project.app import FunctionEntry, ModuleEntry, ScriptEntry
from cannery.workspace.keys import package_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cannery.project.app import Argument, Command, EntryPoint

__all__ = ["children_script", "commands_script", "given_to", "left_out_script", "starting_script"]

_CHILDREN: Final = package_file("executable/onefile/payload/children.py")
_COMMANDS: Final = package_file("executable/onefile/payload/commands.py")
_LEFT_OUT: Final = package_file("executable/onefile/payload/left_out.py")


def children_script(entry: EntryPoint) -> str:
    """The script that runs before the app: ``payload/children.py``, told how the app's script is imported as a module.

    That's empty where the script has a name that no statement can import, and where it's made by cannery.
    """
    stem = entry.path.stem if isinstance(entry, ScriptEntry) else ""
    return _followed_by(_CHILDREN.read_text(encoding="utf-8"), f"become_child({stem if stem.isidentifier() else ''!r})")


def commands_script(main: Command, commands: Sequence[Command], names: Mapping[ScriptEntry, str]) -> str:
    """The script that starts one of ``commands``, or ``main`` with its arguments: ``payload/commands.py``, told of all.

    ``names`` are those of the modules that scripts among them are.
    """
    table = {command.name: _described(command, names) for command in (main, *commands)}
    return _followed_by(_COMMANDS.read_text(encoding="utf-8"), f"start({table!r}, __import__('cannery_ending').LOADER)")


def _described(command: Command, names: Mapping[ScriptEntry, str]) -> tuple[object, ...]:
    match command.started:
        case FunctionEntry(_, module, attribute):
            return (module, attribute, *given_to(command))
        case ModuleEntry(name):
            return (name, "", *given_to(command))
        case ScriptEntry() as script:
            return (names.get(script, ""), "", *given_to(command))


def given_to(command: Command) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
    """The arguments and the variables of a command in literals."""
    return tuple(map(_word, command.arguments)), tuple((name, _word(value)) for name, value in command.env)


def _word(word: Argument) -> object:
    """``word`` in literals, a variable as its name and its default."""
    if isinstance(word, str):
        return word
    return tuple(part if isinstance(part, str) else (part.name, part.default) for part in word)


def left_out_script(known: Iterable[str], without: Iterable[str]) -> str:
    """The script that runs first: ``payload/left_out.py``, told which modules the bundle could have had.

    ``without`` are the modules that the setting of that name leaves out.
    """
    known_names = f"frozenset({sorted(known)!r}) | sys.stdlib_module_names"
    call = f"sys.meta_path.append(LeftOut({known_names}, frozenset({sorted(without)!r})))"
    return _followed_by(_LEFT_OUT.read_text(encoding="utf-8"), call)


def starting_script(entry: ModuleEntry | FunctionEntry) -> str:
    """A script that starts a module or a function, as Python and an installed script do."""
    match entry:
        case ModuleEntry(name):
            return f"import runpy\n\nrunpy.run_module({name!r}, run_name='__main__', alter_sys=True)\n"
        case FunctionEntry(_, module, attribute):
            first = attribute.partition(".")[0]
            return f"import sys\n\nfrom {module} import {first}\n\nsys.exit({attribute}())\n"


def _followed_by(module: str, call: str) -> str:
    return f"{module}\n\n{call}\n"
