"""What can be started of a project, by name or by a command line: its own, or what its dependencies may bring."""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError, ProjectError, did_you_mean
from cannery.project.app import PLACE, ApplicationEntry, Command, FunctionEntry, ModuleEntry, NamedEntry, ScriptEntry
from cannery.project.applications import application_called
from cannery.project.layout import renamed_packages
from cannery.project.modules import find_module, module_file, packages_in
from cannery.project.servers import listening
from cannery.project.setup_scripts import python_script
from cannery.project.shell import NeedsShell, shown, simple_command, simple_commands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cannery.project.app import Argument
    from cannery.project.own_code import OwnCode
    from cannery.project.shell import SimpleCommand

__all__ = ["Startable", "needs_shell", "settings_for"]

Entry = ScriptEntry | ModuleEntry | FunctionEntry | NamedEntry | ApplicationEntry

_PYTHON: Final = r"python(?:3(?:\.\d+)?)?t?"
_WITH_VALUE: Final = {"-W", "-X", "--check-hash-based-pycs"}  # options of Python that have one behind them
_EXAMPLE: Final = '[tool.cannery]  entry = "gunicorn"  args = ["main:app"]'
_SHELLS: Final = {"sh", "bash", "dash", "ash", "zsh"}
# Programs that start another one and do nothing else that counts in a container, with the word that says so.
_WRAPPERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("exec", "env", "dumb-init", "tini", "command", "nohup"), ""),
    **dict.fromkeys(("poetry", "uv", "pipenv", "pdm", "hatch", "rye"), "run"),
}


@dataclass(frozen=True)
class Startable:
    """A project, as far as it decides what can be started."""

    own: OwnCode
    scripts: Mapping[str, str]  # console scripts: name -> object reference

    @property
    def folder(self) -> Path:
        """The project's."""
        return self.own.folder

    def named(self, name: str, source: str) -> Entry:
        """What ``name`` starts: a script of the project, a file, ``module:function``, a module, or a dependency's.

        ``source`` says what names it. Raises :class:`ConfigurationError` for a file that isn't there, and for a
        function that a module of the project doesn't have.
        """
        if name in self.scripts:
            return self.function(name, self.scripts[name], source)
        if len(words := name.split()) > 1:
            arguments = ", ".join(map(_quoted, words[1:]))
            raise ConfigurationError(
                f"{source} = {name!r} has arguments, and names one thing alone",
                step=f'write it as  entry = "{words[0]}"  args = [{arguments}]',
            )
        if name.endswith(".py"):
            return self.script(name)
        if (text := python_script(self.folder, name)) is not None:
            return ScriptEntry(PLACE / f"{PurePosixPath(name).name}.py", text, PurePosixPath(name))
        if ":" in name:
            return self.function(name.partition(":")[0].rpartition(".")[2], name, source)
        return self.module(name, source)

    def script(self, name: str) -> ScriptEntry:
        """The file of the project that is called so."""
        path = PurePosixPath(name)
        if not (self.folder / path).is_file() or ".." in path.parts or path.is_absolute():
            hint = did_you_mean(name, (each.name for each in self.folder.glob("*.py")))
            raise _missing(name, f"there is no file {self.folder / path}", hint)
        return ScriptEntry(path)

    def module(self, name: str, source: str, *, run_by_python: bool = False) -> Entry:
        """The module of the project that is called so, with ``run_by_python`` as ``python -m`` takes it."""
        found = find_module(self.folder, self.own.roots, name)
        runs = found and (not found[0].is_dir() or any(module_file(part, "__main__") for part in found))
        return ModuleEntry(name) if runs else NamedEntry(name, source, run_by_python)

    def by_itself(self, entry: Entry) -> Entry:
        """``entry``, where there are no dependencies that may bring it.

        Raises :class:`ConfigurationError` for what neither the project nor the standard library has.
        """
        if not isinstance(entry, NamedEntry):
            return entry
        module, colon, _ = entry.name.partition(":")
        if not colon and module.partition(".")[0] in sys.stdlib_module_names:
            return ModuleEntry(module)
        if colon:
            raise _missing(entry.name, f"there is no module {module} in {self.folder}")
        if found := find_module(self.folder, self.own.roots, module):
            raise _missing(module, f"{found[0]} has no __main__.py")
        raise _missing(module, "there is no such script, module or package", did_you_mean(module, self.names))

    def function(self, name: str, reference: str, source: str) -> Entry:
        """The function that an object reference names, as the console script ``name``."""
        module, _, attribute = reference.partition(":")
        module, attribute = module.strip(), attribute.partition("[")[0].strip()
        if not module or not attribute:
            raise _missing(reference, "an object reference is written package.module:function")
        if not find_module(self.folder, self.own.roots, module):
            return self._function_of_another(name, module, attribute, source)
        self._check_attribute(reference, module, attribute)
        function = FunctionEntry(name, module, attribute)
        if (application := application_called(self.own, module, attribute)) is not None:
            return ApplicationEntry((application,), f"{reference} is an application, and no function", function)
        return function

    @property
    def names(self) -> list[str]:
        """The names of what the project itself has: scripts, and packages."""
        packages = (path.name for root in self.own.roots for path in packages_in(self.folder / root))
        return [*self.scripts, *packages]

    def command(self, command: SimpleCommand, source: str, env: Mapping[str, str], name: str = "") -> Command:
        """What a command line starts; ``env`` are the image's variables, on which its port may depend.

        Raises :class:`ConfigurationError` where there is no such thing, or it isn't Python.
        """
        words = _unwrapped(command.words)
        if not words:
            raise _missing("", f"{source} names no program")
        entry, arguments = self._program(words, source)
        return Command(name, entry, arguments, command.env, listening(arguments, dict(env)))

    def line(self, text: str, source: str, env: Mapping[str, str], name: str = "") -> Command:
        """What the command line ``text`` starts."""
        try:
            return self.command(simple_command(text), source, env, name)
        except NeedsShell as error:
            raise needs_shell(text, source, error) from None

    def _program(self, words: Sequence[Argument], source: str) -> tuple[Entry, tuple[Argument, ...]]:
        """What ``words`` start, and the arguments that it gets."""
        first = words[0] if isinstance(words[0], str) else ""
        program = posixpath.basename(first)
        if not re.fullmatch(_PYTHON, program):
            if program in _SHELLS or program.endswith(".sh"):
                raise needs_shell(first, source, NeedsShell(program))
            name = first.removeprefix("./") if first.endswith(".py") else program
            return self.named(name, source), tuple(words[1:])
        match _without_options(words[1:]):
            case ["-m", str(module), *arguments]:
                return self.module(module, source, run_by_python=True), tuple(arguments)
            case [str(script), *arguments] if script.endswith(".py"):
                return self.script(script.removeprefix("./")), tuple(arguments)
        raise _missing(program, f"{source} starts Python with no script and no module")

    def _function_of_another(self, name: str, module: str, attribute: str, source: str) -> Entry:
        """A function of a module that the project doesn't have."""
        top = module.partition(".")[0]
        self._refuse_renamed(module)
        if top in sys.stdlib_module_names:
            return FunctionEntry(name, module, attribute)
        if not find_module(self.folder, self.own.roots, top):
            return NamedEntry(f"{module}:{attribute}", source)
        raise _missing(f"{module}:{attribute}", f"there is no module {module} in {self.folder}")

    def _refuse_renamed(self, module: str) -> None:
        """Raise :class:`ProjectError` for a module of a package that only the project's wheel calls so."""
        for package, path in renamed_packages(self.folder).items():
            if f"{module}.".startswith(f"{package}."):
                raise ProjectError(
                    f"{module} lies in the folder {path}, and only in the project's wheel is that called {package}",
                    evidence="images have a project's packages under the names of their folders",
                    step=f"give the folder the package's name: {package.replace('.', '/')}",
                )

    def _check_attribute(self, reference: str, module: str, attribute: str) -> None:
        """Raise :class:`ConfigurationError` where the source of the module shows that it has no such attribute."""
        source = self.own.source_of(module)
        tree = self.own.tree(source) if source is not None else None
        names = _names_of(tree) if tree is not None else None
        first = attribute.split(".", maxsplit=1)[0]
        if names is not None and first not in names:
            raise _missing(reference, f"{source} defines no {first!r}", did_you_mean(first, names))


def needs_shell(text: str, source: str, error: NeedsShell) -> ConfigurationError:
    """The refusal of a command line that only a shell can run, with the settings that do the same without."""
    return ConfigurationError(
        f"{source} has a command that needs a shell, and the image has none",
        evidence=f"{text}\n{error.operator!r} is for a shell",
        step=f"name what starts, without a shell, in pyproject.toml:  {settings_for(text)}",
    )


def settings_for(text: str) -> str:
    """The settings that start the last of the commands in ``text``, and have the others beside it."""
    try:
        *others, last = simple_commands(text)
    except ValueError:  # it does more than start one after the other, or there is none
        return _EXAMPLE
    words = _as_entry([shown([word]) for word in _unwrapped(last.words)])
    if not words or words[0].endswith("sh"):
        return _EXAMPLE
    lines = ["[tool.cannery]", f'entry = "{words[0]}"', f"args = [{', '.join(map(_quoted, words[1:]))}]"]
    if others:
        named = (f"before{number or ''} = {_quoted(shown(each.words))}" for number, each in enumerate(others))
        lines.append(f"commands = {{ {', '.join(named)} }}")
    return "  ".join(lines)


def _as_entry(words: list[str]) -> list[str]:
    """The words of a command as an entry point and its arguments: what Python runs is named without it.

    There are none where Python runs no file and no module.
    """
    if not words or not re.fullmatch(_PYTHON, posixpath.basename(words[0])):
        return words
    rest = [str(word) for word in _without_options(words[1:])]
    rest = rest[1:] if rest[:1] == ["-m"] else rest
    return [] if rest[:1] and rest[0].startswith("-") else rest


def _without_options(words: Sequence[Argument]) -> list[Argument]:
    """What Python is to run, without the options before it."""
    rest = list(words)
    while rest and isinstance(rest[0], str) and rest[0].startswith("-") and rest[0] not in {"-m", "-c", "-"}:
        del rest[: 2 if rest[0] in _WITH_VALUE else 1]
    return rest


def _quoted(text: str) -> str:
    return "'" + text + "'" if '"' in text else f'"{text}"'


def _unwrapped(words: Sequence[Argument]) -> Sequence[Argument]:
    """The words without the programs before them that only start what follows: ``exec``, ``poetry run``."""
    while words and isinstance(words[0], str) and (program := posixpath.basename(words[0])) in _WRAPPERS:
        words, verb = words[1:], _WRAPPERS[program]
        if verb and words and words[0] == verb:
            words = words[1:]
        while words and isinstance(words[0], str) and (words[0].startswith("-") or "=" in words[0]):
            words = words[1:]
    return words


def _names_of(tree: ast.Module) -> set[str] | None:
    """The names that a module binds; None where only running it could tell, as with ``import *``."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            if node.name == "*":
                return None
            names.add((node.asname or node.name).split(".", maxsplit=1)[0])
    return None if "__getattr__" in names else names


def _missing(entry: str, evidence: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError(
        f"the entry point {entry!r} does not exist",
        evidence="\n".join(filter(None, (evidence, hint))),
        step='correct it in pyproject.toml:  entry = "main.py"  (or "package", "module:function")',
    )
