"""The parts of a static executable: the bytecode of modules that the app reaches, its start, data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.errors import ProjectError
from cannery.executable.onefile.scripts import given_to, starting_script
from cannery.executable.static.archive import ArchivedModule, ModuleArchive
from cannery.executable.static.link import LAUNCHER
from cannery.image.content import Inline, OnDisk
from cannery.image.tree import Decision, File
from cannery.imports.entry_points import metadata_read
from cannery.project.app import HOME, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.trees.transforms.source_bytecode import compile_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from cannery.executable.kit.kit import Kit
    from cannery.executable.static.libraries import LinkedLibraries
    from cannery.image.content import Content
    from cannery.imports.model import Reach
    from cannery.imports.places import Place
    from cannery.project.app import App, Command
    from cannery.workspace.workspace import Workspace

__all__ = ["EXTENSIONS", "PROGRAMS", "ExecutableParts"]

PROGRAMS: Final = "/usr/local/bin"
EXTENSIONS: Final = "_cannery_extensions"
SNAPSHOT: Final = "_cannery_snapshot"
# The import system, whose bytecode Python takes under other names: module, its source, the path that tracebacks show.
_INTERNAL: Final = {
    "_frozen_importlib": ("importlib/_bootstrap.py", "<frozen importlib._bootstrap>"),
    "_frozen_importlib_external": ("importlib/_bootstrap_external.py", "<frozen importlib._bootstrap_external>"),
}
_OWN: Final = {
    "_cannery_importer": "importer.py",
    EXTENSIONS: "extensions.py",
    SNAPSHOT: "snapshot.py",
    "_cannery_metadata": "metadata.py",
    "_cannery_resources": "resources.py",
}
_NEEDED_BY: Final = {"importlib.metadata": "_cannery_metadata", "importlib.resources": "_cannery_resources"}


@dataclass(frozen=True)
class ExecutableParts:
    """The input of an executable."""

    app: App
    kit: Kit
    places: list[Place]
    reach: Reach
    left_out: Mapping[str, str]  # modules, with the name that the setting has for them
    extensions: Mapping[str, str]  # modules, with the paths of their libraries
    libraries: Callable[[], LinkedLibraries]  # these libraries, with what they need, and what ctypes may open
    workspace: Workspace

    def archive(self) -> tuple[ModuleArchive, tuple[Decision, ...]]:
        """The archive: bytecode, which is made here, data, and what the importer must know.

        Beside it the decisions on modules of dependencies that aren't in it, as the kit's Python can't compile them.
        """
        sources, refused = self._sources()
        modules = {**dict(self._reached(sources)), **dict(self._internal())}
        name, path, content = self._started(self.app.main, modules)
        commands = dict(self._commands(modules))
        modules["__main__"] = ArchivedModule(path, package=False, bytecode=content)
        stdlib = self.kit.interpreter.image_stdlib
        roots = [*self.places[0].roots, stdlib, self.kit.interpreter.image_site_packages]
        facts = {
            "main": (name, path),
            "commands": {command: (f"__main__ {command}", *there) for command, there in commands.items()},
            "given": {command.name: given_to(command) for command in self._prepared},
            "path": roots,
            "left_out": dict(sorted(self.left_out.items())),
            "unreached": sorted(set(self.reach.left_out) - self.left_out.keys()),
            "stdlib": stdlib,
        }
        if self.extensions:
            facts["extensions"] = dict(sorted(self.extensions.items()))
        return ModuleArchive(modules, dict(self._data()), facts), refused

    def main_file(self) -> str:
        """The path of what runs, as tracebacks show it."""
        return self._file(self.app.main)

    @property
    def _prepared(self) -> tuple[Command, ...]:
        """The commands that have arguments or variables of their own."""
        commands = (self.app.main, *self.app.commands)
        return tuple(command for command in commands if command.arguments or command.env)

    def _file(self, command: Command) -> str:
        match command.started:
            case ScriptEntry() as script:
                return str(script.image_path)
            case FunctionEntry(script):
                return f"{PROGRAMS}/{command.name or script}"
            case ModuleEntry(name):
                modules = self.reach.modules
                return modules.get(f"{name}.__main__", modules[name]).path

    def _sources(self) -> tuple[dict[str, File], tuple[Decision, ...]]:
        """The bytecode of the sources that the analysis found, by their paths, and the sources that have none."""
        made: dict[str, File] = {}
        refused: tuple[Decision, ...] = ()
        modules = self.reach.modules.items()
        wanted = {each.path for name, each in modules if each.kind == "source" and name not in self.extensions}
        for place in self.places:
            optimize = 2 if place.kind == "stdlib" else self.app.settings.optimize
            some = {path: file for path, file in place.tree.tree.files() if path in wanted}
            done, left = self._compile(some, optimize)
            made, refused = made | done, refused + left
        return made, refused

    def _reached(self, sources: Mapping[str, File]) -> Iterator[tuple[str, ArchivedModule]]:
        """The modules that the analysis found; ``sources`` has the bytecode of those that are sources."""
        trees = {place.kind: place.tree.tree for place in self.places}
        for name, module in self.reach.modules.items():
            match module.kind:
                case "source" if module.path in sources:
                    yield name, ArchivedModule(module.path, module.package, sources[module.path].content)
                case "bytecode":
                    entry = trees[module.place].entries[module.path]
                    if isinstance(entry, File):
                        yield name, ArchivedModule(module.path, module.package, entry.content)
                case "namespace":
                    yield name, ArchivedModule(f"{module.path}/", package=True, bytecode=None)

    def _internal(self) -> Iterator[tuple[str, ArchivedModule]]:
        """The modules of the import system, and the launcher's own."""
        stdlib = self.kit.interpreter.stdlib
        sources = {shown: _on_disk(stdlib / path) for path, shown in _INTERNAL.values()}
        own = {name for needed, name in _NEEDED_BY.items() if needed in self.reach.modules} | {"_cannery_importer"}
        own |= {EXTENSIONS} if self.extensions else set()
        own |= {SNAPSHOT} if self.app.settings.static.snapshot else set()
        shown = {name: f"<frozen {name}>" for name in own}
        sources |= {shown[name]: _on_disk(LAUNCHER / _OWN[name]) for name in own}
        made, _ = self._compile(sources, 2)
        for name, (_, path) in _INTERNAL.items():
            yield name, ArchivedModule(path, package=False, bytecode=made[path].content)
        for name in sorted(own):
            yield name, ArchivedModule(shown[name], package=False, bytecode=made[shown[name]].content)

    def _commands(self, modules: dict[str, ArchivedModule]) -> Iterator[tuple[str, tuple[str, str]]]:
        """The name and the path of what each command runs; its code is added to ``modules`` under another name."""
        for command in self.app.commands:
            name, path, content = self._started(command, modules)
            modules[f"__main__ {command.name}"] = ArchivedModule(path, package=False, bytecode=content)
            yield command.name, (name, path)

    def _started(self, command: Command, modules: Mapping[str, ArchivedModule]) -> tuple[str, str, Content]:
        """What a command runs: the name by which a child of multiprocessing imports it, its path, its bytecode."""
        entry, path = command.started, self._file(command)
        match entry:
            case ScriptEntry():
                found = {module.path: name for name, module in modules.items() if not name.startswith("__main__")}
                runs = {module.path: name for name, module in modules.items()}
                name = found.get(path) or re.sub(r"\W", "_", f"_cannery_{path}")
                content = modules[found.get(path) or runs[path]].bytecode
            case ModuleEntry():
                inner = f"{entry.name}.__main__"
                name = inner if inner in modules else entry.name
                content = modules[name].bytecode
            case FunctionEntry():
                name = "_cannery.__main__"
                script = File(Inline(starting_script(entry).encode()))
                content = self._compile({path: script}, 0)[0][path].content
        if content is None:
            raise ProjectError(f"{entry} is a folder, and no module", step="name what is run:  [tool.cannery]  entry")
        return name, path, content

    def _data(self) -> Iterator[tuple[str, Content]]:
        """Package data, and the metadata of distributions that a module asks for."""
        wanted = set(self.reach.data) - self.libraries().files.keys()
        for place in self.places:
            wanted.update(metadata_read(place.tree.tree, self.reach.modules))
            for path, file in place.tree.tree.files():
                if path in wanted:
                    yield path, file.content

    def _compile(self, sources: Mapping[str, File], optimize: int) -> tuple[dict[str, File], tuple[Decision, ...]]:
        """The bytecode of ``sources`` by their paths, and those that are no Python, none of them the app's."""
        interpreter = self.kit.interpreter
        made = compile_sources(sources, interpreter, self.workspace, optimize=optimize, positions=False)
        for path, message in made.refused.items():
            if path.startswith(f"{HOME}/"):
                step = "correct it, or leave it out with  [tool.cannery]  exclude"
                raise ProjectError(f"{path} is no Python {interpreter.version_text}", evidence=message, step=step)
        why = f"it is no Python {interpreter.version_text}"
        left = (
            Decision(path, "make bytecode", f"{why}: {message}", sources[path].content.size)
            for path, message in made.refused.items()
        )
        return dict(made.files), tuple(left)


def _on_disk(path: Path) -> File:
    return File(OnDisk(path, path.stat().st_size))
