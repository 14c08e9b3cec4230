"""The folder that PyInstaller works in: the app, an environment with its packages, and a description of the bundle."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from cannery.errors import ProjectError
from cannery.executable.onefile.scripts import children_script, commands_script, left_out_script, starting_script
from cannery.image.folder import write_tree
from cannery.project.app import HOME, ScriptEntry
from cannery.project.modules import imported_as
from cannery.workspace.keys import package_file
from cannery.workspace.process import find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.executable.onefile.tools import Tools
    from cannery.image.tree import LazyTree, Tree
    from cannery.project.app import Command, EntryPoint
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.process import Runner

__all__ = ["BundleParts", "Stage", "set_stage"]

_CODE: Final = (".py", ".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h", ".so")
_PREFIX: Final = "/usr/local/"  # sys.prefix in images
_HOOKS: Final = {
    "init_again": package_file("executable/onefile/payload/init_again.py"),
    "libraries": package_file("executable/onefile/payload/libraries.py"),
}
_RUNNING: Final = {
    "cannery_ending": package_file("executable/onefile/payload/ending.py"),
    "cannery_as_python": package_file("executable/onefile/payload/as_python.py"),
}
_WORKERS: Final = package_file("executable/onefile/workers")


@dataclass(frozen=True, slots=True)
class BundleParts:
    """The parts of a bundle."""

    name: str
    main: Command
    commands: tuple[Command, ...]
    roots: tuple[PurePosixPath, ...]  # below the app's folder: where imports start
    code: LazyTree
    resources: LazyTree
    wheels: LazyTree
    without: tuple[str, ...] = ()  # modules that stay out
    stand_ins: Mapping[str, str] = field(default_factory=dict)  # for some of these, the source of another in its place
    reached: tuple[str, ...] = ()  # every module that the program is known to reach
    left_out: tuple[str, ...] = ()  # modules that the program is known not to reach
    data: tuple[str, ...] = ()  # files that go in beside the modules: paths in the image
    optimize: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """A folder that is ready for PyInstaller."""

    folder: Path
    python: Path  # the environment's


def set_stage(folder: Path, parts: BundleParts, interpreter: Interpreter, tools: Tools, run: Runner) -> Stage:
    """Fill ``folder`` for PyInstaller; raises :class:`ToolError` where the environment can't be made."""
    environment = folder / "environment"
    run(
        [
            find_uv(),
            "venv",
            "--quiet",
            "--no-config",
            "--no-project",
            f"--python={interpreter.executable}",
            str(environment),
        ]
    )
    site = environment / "lib" / interpreter.name / "site-packages"
    write_tree(parts.wheels.tree, site, below=interpreter.image_site_packages, link=True)
    beside = parts.wheels.tree.filter(lambda path, _: not path.startswith(f"{interpreter.image_site_packages}/"))
    write_tree(beside, environment, below=_PREFIX, link=True)
    _link_tools(folder / "tools", site, tools)
    app = folder / "app"
    write_tree(parts.code.tree + parts.resources.tree, app, link=True)
    for spec in ("bundle", "file"):
        shutil.copyfile(_WORKERS / f"{spec}_spec.py", folder / f"{spec}.spec")
    shutil.copyfile(_WORKERS / "stored_names.py", folder / "stored_names.py")
    (folder / "children.py").write_text(children_script(parts.main.started), encoding="utf-8")
    left_out = left_out_script({*parts.left_out, *parts.without}, parts.without)
    (folder / "left_out.py").write_text(left_out, encoding="utf-8")
    for name, module in {**_HOOKS, **_RUNNING}.items():
        shutil.copyfile(module, folder / f"{name}.py")
    (folder / "bundle.json").write_text(
        json.dumps(_description(folder, app, site, parts, interpreter)), encoding="utf-8"
    )
    return Stage(folder, environment / "bin" / "python")


def _link_tools(folder: Path, site: Path, tools: Tools) -> None:
    """Put PyInstaller's packages last on the search path, so that a package of the app hides one of the same name."""
    folder.mkdir()
    for package in tools.packages:
        (folder / package.name).symlink_to(package)
    site.mkdir(parents=True, exist_ok=True)
    (site / "cannery-tools.pth").write_text(f"{folder}\n", encoding="utf-8")


def _description(
    folder: Path, app: Path, site: Path, parts: BundleParts, interpreter: Interpreter
) -> dict[str, object]:
    own = _own_modules(parts)
    run = [*_commands(folder, parts), str(_script(folder, app, parts.main.started))]
    return {
        "name": parts.name,
        "scripts": [str(folder / "children.py"), *run],
        "run": run,
        "roots": [str(_stand_ins(folder, parts)), *(str(app / HOME.relative_to("/") / root) for root in parts.roots)],
        "include": sorted(name for name in {*own, *parts.reached} if not name.startswith("__main__")),
        "own": own,
        "stand_ins": {name: str(folder / "stand-ins" / f"{name}.py") for name in parts.stand_ins},
        "reached": parts.reached,
        "left_out": parts.left_out,
        "without": sorted(set(parts.without) - parts.stand_ins.keys()),
        "data": [*_data(app, parts), *_package_data(site, parts, interpreter)],
        "runtime_hooks": [str(folder / f"{name}.py") for name in ("left_out", *_HOOKS)],
        "optimize": parts.optimize,
        "tools": str(folder / "tools"),
    }


def _stand_ins(folder: Path, parts: BundleParts) -> Path:
    """Write the stand-ins into a folder, and return it: modules there are found before Python's own."""
    place = folder / "stand-ins"
    place.mkdir()
    for name, source in parts.stand_ins.items():
        (place / f"{name}.py").write_text(source, encoding="utf-8")
    return place


def _commands(folder: Path, parts: BundleParts) -> list[str]:
    """The path of the script that starts commands, where there are any, or where the app's own has arguments."""
    if not parts.commands and not parts.main.arguments and parts.main.plain:
        return []
    entries = (command.started for command in parts.commands)
    names = {entry: _module_of(entry, parts.roots) for entry in entries if isinstance(entry, ScriptEntry)}
    script = folder / "commands.py"
    script.write_text(commands_script(parts.main, parts.commands, names), encoding="utf-8")
    return [str(script)]


def _module_of(script: ScriptEntry, roots: tuple[PurePosixPath, ...]) -> str:
    """The name that a script is imported by in the program; raises :class:`ProjectError` where it can have none."""
    name = imported_as(str(script.image_path), [str(HOME / root) for root in roots])
    if not all(part.isidentifier() for part in name.split(".")) or script.source is not None:
        raise ProjectError(
            f"the recipe onefile has no way to start {script.path} as a command: it's no module that can be imported",
            step="give it a name that an import statement takes, or take another recipe",
        )
    return name


def _script(folder: Path, app: Path, entry: EntryPoint) -> Path:
    """The path of the program's script: the app's own, or one that is written now and starts a module or a function.

    The latter lies alone in a folder, under a name that no module can have: PyInstaller takes what lies beside a
    script for modules.
    """
    if isinstance(entry, ScriptEntry):
        return app / entry.image_path.relative_to("/")
    script = folder / "start" / "cannery-start.py"
    script.parent.mkdir()
    script.write_text(starting_script(entry), encoding="utf-8")
    return script


def _own_modules(parts: BundleParts) -> list[str]:
    """The names of all modules in the app's packages, imported or not: some programs look for modules in folders."""
    found = set()
    for path, relative in _relative(parts.code.tree, parts.roots):
        if relative.suffix in {".py", ".so"} and path not in parts.data:
            name = relative.name.partition(".")[0]
            names = [*relative.parent.parts, *([] if name == "__init__" else [name])]
            if names and all(part.isidentifier() for part in names):
                found.add(".".join(names))
    return sorted(found)


def _relative(tree: Tree, roots: tuple[PurePosixPath, ...]) -> list[tuple[str, PurePosixPath]]:
    """The files below the app's import roots: path in the image, and relative to those."""
    found = []
    for path, _ in tree.files():
        for root in roots:
            if PurePosixPath(path).is_relative_to(HOME / root):
                found.append((path, PurePosixPath(path).relative_to(HOME / root)))
                break
    return found


def _data(app: Path, parts: BundleParts) -> list[tuple[str, str]]:
    """The app's other files, as (path in the bundle, file): data beside its package, resources as in the project."""
    found = []
    for path, _ in parts.code.tree.files():
        for root in parts.roots:
            if PurePosixPath(path).is_relative_to(HOME / root):
                relative = PurePosixPath(path).relative_to(HOME / root)
                if path in parts.data or not relative.name.endswith(_CODE):
                    found.append((str(relative), str(app / path.lstrip("/"))))
                break
    for path, _ in parts.resources.tree.files():
        found.append((str(PurePosixPath(path).relative_to(HOME)), str(app / path.lstrip("/"))))
    return found


def _package_data(site: Path, parts: BundleParts, interpreter: Interpreter) -> list[tuple[str, str]]:
    """The wheels' data, as (path in the bundle, file): what modules read, and all that lies in the environment."""
    packages, environment = f"{interpreter.image_site_packages}/", site.parents[2]
    beside = [path for path, _ in parts.wheels.tree.files() if not path.startswith(packages)]
    within = [path.removeprefix(packages) for path in parts.data if path.startswith(packages)]
    found = [(path, str(site / path)) for path in within]
    return found + [(path.removeprefix(_PREFIX), str(environment / path.removeprefix(_PREFIX))) for path in beside]
