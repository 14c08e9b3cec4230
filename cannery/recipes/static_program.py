"""The app as one static executable: what it reaches, in an archive, linked with a kit and packed."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cannery.errors import ProjectError
from cannery.executable.kit.kit import Kit, built_kit, built_version, given_kit
from cannery.executable.static.archive import ArchivedModule, ModuleArchive
from cannery.executable.static.link import LAUNCHER, link
from cannery.executable.static.packing import pack
from cannery.image.content import Inline, OnDisk
from cannery.image.rootfs import MACHINE
from cannery.image.tree import File, LazyTree, Symlink, Tree
from cannery.imports.entry_points import metadata_read
from cannery.imports.host import host_of
from cannery.imports.places import Place
from cannery.project.app import HOME, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.interpreter import check_version
from cannery.trees.installed import PYTHON
from cannery.trees.shaken import app_place, reach_with, standard_library
from cannery.trees.system import certificates, stamps_of, system_tree, zones_tree
from cannery.trees.transforms.bytecode import compile_sources
from cannery.trees.transforms.stand_ins import together
from cannery.workspace.digest import Digest
from cannery.workspace.files import user_path
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cannery.image.content import Content
    from cannery.image.platform import Platform
    from cannery.imports.model import Host, Reach
    from cannery.project.app import App
    from cannery.python.interpreter import WheelTarget
    from cannery.trees.app import AppTree
    from cannery.workspace.workspace import Workspace

__all__ = ["PROGRAMS", "Executable", "ExecutableContents", "executable", "kit_for", "system_of", "target_of_kit"]

PROGRAMS = "/usr/local/bin"
_CONTENTS = "contents.json"
_OTHER_PYTHON = "take the recipe tiny, scratch or onefile, which pack any Python"

# What there's something else for, so that who names it without using it still works.
_STAND_INS = {"ssl": "ssl.py"}
# What every executable holds: `python -m`, and the functions that site adds to the built-in ones.
_STARTED = ("runpy", "_sitebuiltins", "gc", "warnings", "encodings.ascii", "encodings.latin_1", "encodings.utf_8")
_NOT_STARTED = {"site", "zipimport"}
_INTERNAL = {
    "_frozen_importlib": ("importlib/_bootstrap.py", "<frozen importlib._bootstrap>"),
    "_frozen_importlib_external": ("importlib/_bootstrap_external.py", "<frozen importlib._bootstrap_external>"),
}
_OWN = {
    "_cannery_importer": "importer.py",
    "_cannery_metadata": "metadata.py",
    "_cannery_resources": "resources.py",
}
_NEEDED_BY = {"importlib.metadata": "_cannery_metadata", "importlib.resources": "_cannery_resources"}


class ExecutableContents(msgspec.Struct, frozen=True):
    """What lies in an executable, each with its bytes before anything is packed."""

    modules: dict[str, int]
    files: dict[str, int]


@dataclass(frozen=True)
class Executable:
    """An executable that is made when somebody asks for its file, and what is known of it before."""

    name: str
    tree: LazyTree  # the program in PROGRAMS
    reach: Reach
    contents: Callable[[], ExecutableContents]  # makes it, too


def kit_for(app: App, platform: Platform | str, workspace: Workspace) -> Kit:
    """The kit that the app's executable is linked from: the one that is named, or one that is built.

    Raises :class:`ConfigurationError` where its Python is one that the app excludes, before anything is built.
    """
    given = os.environ.get("CANNERY_KIT") or app.settings.static.kit
    if not given:
        check_version(app, built_version(), "the kit that cannery builds", _OTHER_PYTHON)
        return built_kit(platform, workspace)
    kit = given_kit(app.folder / user_path(given), platform, workspace)
    check_version(app, kit.interpreter.version_text, f"the kit {given}", _OTHER_PYTHON)
    return kit


def target_of_kit(kit: Kit) -> WheelTarget:
    """What wheels have to fit; uv looks at the Python that runs this, as it can't at a static one."""
    number = ".".join(map(str, kit.interpreter.version[:2]))
    options = ("--python-platform", kit.target.wheels, "--python-version", number)
    return replace(kit.interpreter.target, executable=Path(sys.executable), options=options)


def executable(app: App, kit: Kit, own: AppTree, wheels: LazyTree | None, workspace: Workspace) -> Executable:
    """The executable of ``app`` from its sources ``own`` and those of its dependencies, ``wheels``.

    Raises :class:`ProjectError` where the app reaches an extension module, which a static executable can't load.
    """
    name = app.name.rpartition("/")[2]
    out = _left_out(app)
    places = [_without(place, out) for place in _places(app, kit, own, wheels)]
    reach = reach_with(app, places, _host(kit, out, workspace), workspace)
    _refuse_extensions(reach)
    parts = _ExecutableParts(app, kit, places, reach, out, workspace)
    settings = app.settings
    key = key_of(
        "executable", code_key(__name__), _programs(), kit.key, [place.tree.key for place in places],
        msgspec.to_builtins(reach), repr(app.entry), settings.optimize, msgspec.to_builtins(settings.static), name,
    )  # fmt: skip

    made = partial(workspace.cache.folder, "executables", key, parts.build)

    def tree() -> Tree:
        program = made() / "program"
        return Tree({f"{PROGRAMS}/{name}": File(OnDisk(program, program.stat().st_size), 0o755)})

    def contents() -> ExecutableContents:
        return msgspec.json.decode((made() / _CONTENTS).read_bytes(), type=ExecutableContents)

    return Executable(name, LazyTree(key, tree), reach, contents)


@dataclass(frozen=True)
class _ExecutableParts:
    """What an executable is made from."""

    app: App
    kit: Kit
    places: list[Place]
    reach: Reach
    left_out: Mapping[str, str]
    workspace: Workspace

    def build(self, folder: Path) -> None:
        """Make the executable in ``folder``."""
        builtins = [name for name, module in self.reach.modules.items() if module.kind == "builtin"]
        linked, archive = folder / "linked", self._archive()
        link(self.kit, archive, builtins, self._header(), linked, self.workspace)
        (folder / _CONTENTS).write_bytes(msgspec.json.encode(self._contents(archive, linked)))
        pack(self.kit, linked, archive, self.app.settings.static.packing, folder / "program", self.workspace)
        linked.unlink()

    def _archive(self) -> ModuleArchive:
        modules = {**dict(self._reached()), **dict(self._internal())}
        name, path, content = self._main(modules)
        modules["__main__"] = ArchivedModule(path, package=False, bytecode=content)
        stdlib = self.kit.interpreter.image_stdlib
        roots = [*self.places[0].roots, stdlib, self.kit.interpreter.image_site_packages]
        facts = {"main": (name, path), "path": roots, "left_out": dict(sorted(self.left_out.items())), "stdlib": stdlib}
        return ModuleArchive(modules, dict(self._data()), facts)

    def _contents(self, archive: ModuleArchive, linked: Path) -> ExecutableContents:
        modules = {name: module.bytecode.size for name, module in archive.modules.items() if module.bytecode}
        files = {path: content.size for path, content in archive.files.items()}
        major, minor, _ = self.kit.interpreter.version
        interpreter = {f"python{major}.{minor}": linked.stat().st_size - len(archive.data)}
        return ExecutableContents(modules, interpreter | files)

    def _header(self) -> str:
        main = self._main_file()
        settings = self.app.settings
        return "\n".join((
            f'#define CANNERY_MAIN_FILE "{main}"',
            f"#define CANNERY_OPTIMIZE {settings.optimize}",
            f"#define CANNERY_USE_ENVIRONMENT {int(settings.static.python_variables)}",
            '#define CANNERY_PREFIX "/usr/local"',
        ))  # fmt: skip

    def _reached(self) -> Iterator[tuple[str, ArchivedModule]]:
        """The modules that the analysis found, their bytecode made where it's not there."""
        trees = {place.kind: place.tree.tree for place in self.places}
        compiled: dict[str, File] = {}
        for place in self.places:
            optimize = 2 if place.kind == "stdlib" else self.app.settings.optimize
            wanted = {module.path for module in self.reach.modules.values() if module.kind == "source"}
            sources = {path: file for path, file in place.tree.tree.files() if path in wanted}
            compiled |= self._compile(sources, optimize)
        for name, module in self.reach.modules.items():
            match module.kind:
                case "source" if module.path in compiled:
                    yield name, ArchivedModule(module.path, module.package, compiled[module.path].content)
                case "bytecode":
                    entry = trees[module.place].entries[module.path]
                    if isinstance(entry, File):
                        yield name, ArchivedModule(module.path, module.package, entry.content)
                case "namespace":
                    yield name, ArchivedModule(f"{module.path}/", package=True, bytecode=None)

    def _internal(self) -> Iterator[tuple[str, ArchivedModule]]:
        """The import system itself, and the launcher's modules."""
        stdlib = self.kit.interpreter.stdlib
        sources = {shown: _on_disk(stdlib / path) for path, shown in _INTERNAL.values()}
        own = {name for needed, name in _NEEDED_BY.items() if needed in self.reach.modules} | {"_cannery_importer"}
        shown = {name: f"<frozen {name}>" for name in own}
        sources |= {shown[name]: _on_disk(LAUNCHER / _OWN[name]) for name in own}
        compiled = self._compile(sources, 2)
        for name, (_, path) in _INTERNAL.items():
            yield name, ArchivedModule(path, package=False, bytecode=compiled[path].content)
        for name in sorted(own):
            yield name, ArchivedModule(shown[name], package=False, bytecode=compiled[shown[name]].content)

    def _main(self, modules: Mapping[str, ArchivedModule]) -> tuple[str, str, Content]:
        """What runs: the name that a child of multiprocessing imports it by, its path, its bytecode."""
        entry, path = self.app.entry, self._main_file()
        match entry:
            case ScriptEntry():
                content = modules["__main__"].bytecode
                name = entry.path.stem if entry.path.stem in modules else "_cannery.__main__"
            case ModuleEntry():
                inner = f"{entry.name}.__main__"
                name = inner if inner in modules else entry.name
                content = modules[name].bytecode
            case FunctionEntry():
                name = "_cannery.__main__"
                first = entry.attribute.partition(".")[0]
                text = f"import sys\n\nfrom {entry.module} import {first}\n\nsys.exit({entry.attribute}())\n"
                content = self._compile({path: File(Inline(text.encode()))}, 0)[path].content
        if content is None:
            raise ProjectError(f"{entry} is a folder, and no module", step="name what is run:  [tool.cannery]  entry")
        return name, path, content

    def _main_file(self) -> str:
        match self.app.entry:
            case ScriptEntry(path):
                return f"{HOME}/{path}"
            case FunctionEntry(script):
                return f"{PROGRAMS}/{script}"
            case ModuleEntry(name):
                modules = self.reach.modules
                return modules.get(f"{name}.__main__", modules[name]).path

    def _data(self) -> Iterator[tuple[str, Content]]:
        """Package data, and the metadata of distributions where somebody reads that."""
        wanted = set(self.reach.data)
        for place in self.places:
            wanted.update(metadata_read(place.tree.tree, self.reach.modules))
            for path, file in place.tree.tree.files():
                if path in wanted:
                    yield path, file.content

    def _compile(self, sources: Mapping[str, File], optimize: int) -> dict[str, File]:
        interpreter = self.kit.interpreter
        done, refused = compile_sources(sources, interpreter, self.workspace, optimize=optimize, columns=False)
        for path, message in refused.items():
            if path.startswith(f"{HOME}/"):
                step = "correct it, or leave it out with  [tool.cannery]  exclude"
                raise ProjectError(f"{path} is no Python {interpreter.version_text}", evidence=message, step=step)
        return done


def _programs() -> list[str | None]:
    """The versions of what links and packs an executable."""
    return [_version(name) for name in ("ziglang", "zstandard")]


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def system_of(app: App, reach: Reach) -> LazyTree:
    """What the program expects around it: users, and what it can make use of of certificates and time zones."""
    settings = app.settings
    bundle = certificates(settings, app.folder, MACHINE) if "_ssl" in reach.modules else None
    zones = settings.timezones
    if zones == "auto":
        zones = "zoneinfo" in reach.modules and "tzdata" not in reach.modules
    digest = Digest.of_content(bundle) if bundle is not None else None
    data = zones_tree(MACHINE) if zones else Tree()
    tree = system_tree(settings.uid, bundle) + data
    link = Tree({PYTHON: Symlink(app.name.rpartition("/")[2])})
    return LazyTree(
        key_of("static system", code_key(__name__), settings.uid, digest, stamps_of(data), app.name),
        lambda: tree + link,
    )


def _places(app: App, kit: Kit, own: AppTree, wheels: LazyTree | None) -> Iterator[Place]:
    """Where modules are found, in the order of ``sys.path``."""
    yield app_place(app, own.code)
    yield standard_library(kit.interpreter)
    if wheels is not None:
        yield Place("dependencies", wheels, (kit.interpreter.image_site_packages,))


def _left_out(app: App) -> dict[str, str]:
    """The modules that stay out, with the name that the setting has for them."""
    names = app.settings.static.without
    return {each: name for name in names for each in together(name)}


def _without(place: Place, left_out: Mapping[str, str]) -> Place:
    """The place less what is left out; where there's a stand-in, it comes in."""
    if not left_out:
        return place
    root = place.roots[0]
    gone = [f"{each}/{name.replace('.', '/')}" for each in place.roots for name in left_out]

    def make() -> Tree:
        kept = place.tree.tree.filter(
            lambda path, _: not any(path.startswith((f"{stem}.", f"{stem}/")) for stem in gone)
        )
        stand_ins = {
            f"{root}/{file}": _on_disk(LAUNCHER / file)
            for name, file in _STAND_INS.items()
            if name in left_out and place.kind == "stdlib"
        }
        return kept + Tree(stand_ins)

    return replace(place, tree=LazyTree(key_of("without", code_key(__name__), place.tree.key, sorted(left_out)), make))


def _host(kit: Kit, left_out: Mapping[str, str], workspace: Workspace) -> Host:
    """What is inside the kit's Python, and what it imports by itself."""
    host = host_of(kit.interpreter, workspace)
    started = tuple(sorted({*host.started, *_STARTED} - _NOT_STARTED))
    inside = host.builtins - left_out.keys() | {"_cannery_importer"}
    return msgspec.structs.replace(host, builtins=inside, started=started)


def _refuse_extensions(reach: Reach) -> None:
    found = {name: module for name, module in reach.modules.items() if module.kind == "extension"}
    if not found:
        return
    tops = sorted({name.partition(".")[0] for name in found})
    raise ProjectError(
        f"{', '.join(tops)} {'needs' if len(tops) == 1 else 'need'} dynamic loading, which a static executable has not",
        evidence="\n".join(
            f"{module.path}: {' < '.join(step for step, _ in reach.why(name))}"
            for name, module in sorted(found.items())
        ),
        step="take the recipe tiny or scratch; or, where the package does without, leave the module out: "
        f'[tool.cannery.static]  without = ["{min(found)}"]',
    )


def _on_disk(path: Path) -> File:
    return File(OnDisk(path, path.stat().st_size))
