"""The app as one static executable: the modules that it reaches in an archive, linked with a kit, and packed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

import msgspec

from cannery.elf.components import marked
from cannery.executable.static.link import link
from cannery.executable.static.packing import pack
from cannery.executable.static.snapshot import Snapshot  # noqa: TC001  # msgspec resolves it
from cannery.image.content import OnDisk
from cannery.image.tree import Decision, File, LazyTree, Tree
from cannery.recipes.static_program.gather import gathered_parts
from cannery.recipes.static_program.parts import EXTENSIONS, PROGRAMS, ExecutableParts
from cannery.recipes.static_program.snapshot import late_modules, modules_to_import, with_snapshot
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.unaltered import unaltered_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cannery.executable.kit.kit import Kit
    from cannery.executable.static.archive import ModuleArchive
    from cannery.executable.static.libraries import LinkedLibraries
    from cannery.image.content import Content
    from cannery.imports.model import Reach
    from cannery.project.app import App
    from cannery.trees.app import AppTree
    from cannery.workspace.workspace import Workspace

__all__ = ["Executable", "ExecutableContents", "executable"]

_CONTENTS: Final = "contents.json"
# What an executable tells the versions of -> the modules inside Python that have it
_BEHIND: Final = {
    **dict.fromkeys(("Python", "musl"), frozenset({"sys"})),
    "OpenSSL": frozenset({"_hashlib", "_ssl"}),
    "SQLite": frozenset({"_sqlite3"}),
}


class ExecutableContents(msgspec.Struct, frozen=True):
    """The contents of an executable, as ``contents.json`` beside it in the cache has them."""

    modules: dict[str, int]  # with the bytes of each before anything is packed
    files: dict[str, int]  # the same for data, and for the interpreter
    decisions: tuple[Decision, ...]  # on modules that stayed out, or aren't packed as well as others
    snapshot: Snapshot | None = None  # where it starts from memory


@dataclass(frozen=True)
class Executable:
    """An executable, which is made when its tree or its contents are asked for."""

    name: str
    tree: LazyTree  # the program in PROGRAMS
    reach: Reach
    contents: Callable[[], ExecutableContents]  # makes it, too
    notes: tuple[str, ...]
    beside: LazyTree  # data that modules may open by its path, for the image's disk
    packing: str  # how it's compressed: "zstd", "xz" or "none"


def executable(
    app: App, kit: Kit, own: AppTree, wheels: LazyTree, workspace: Workspace, *, compiled: LazyTree | None = None
) -> Executable:
    """The executable of ``app`` from its sources ``own`` and those of its dependencies, ``wheels``.

    Where the app's modules are ``compiled``, these go in, each in the place of its source.

    Raises :class:`ProjectError` where the app needs an extension module that can't be loaded, or opens a shared library
    that isn't there.
    """
    gathered = gathered_parts(app, kit, own, wheels, compiled, workspace)
    name = app.name.rpartition("/")[2]
    key = key_of("executable", code_key(__name__), _programs(), gathered.decisive)
    made = partial(unaltered_folder, workspace.cache, "executables", key, partial(_make, gathered.parts))

    def contents() -> ExecutableContents:
        return msgspec.json.decode((made() / _CONTENTS).read_bytes(), type=ExecutableContents)

    def tree() -> Tree:
        program = made() / "program"
        entries = {f"{PROGRAMS}/{name}": File(OnDisk(program, program.stat().st_size), 0o755)}
        return Tree(entries, contents().decisions)

    packing = app.settings.static.packing
    reach = gathered.parts.reach
    return Executable(name, LazyTree(key, tree), reach, contents, gathered.notes, gathered.beside, packing)


def _make(parts: ExecutableParts, folder: Path) -> None:
    """Make the executable ``program`` in ``folder``, and beside it the account of its contents."""
    builtins = [name for name, module in parts.reach.modules.items() if module.kind == "builtin"]
    linked, (archive, refused) = folder / "linked", parts.archive()
    libraries = parts.libraries()
    starts = modules_to_import(parts)
    link(
        parts.kit,
        archive,
        libraries,
        builtins,
        _header(parts, builtins),
        linked,
        parts.workspace,
        snapshot=bool(starts),
    )
    size = linked.stat().st_size
    snapshot = with_snapshot(parts, starts, linked, folder) if starts else None
    packing = parts.app.settings.static.packing
    stayed = pack(parts.kit, linked, archive, libraries, packing, folder / "program", parts.workspace)
    contents = _contents(parts, archive, size, refused + stayed, snapshot)
    (folder / _CONTENTS).write_bytes(msgspec.json.encode(contents))
    linked.unlink()


def _header(parts: ExecutableParts, builtins: list[str]) -> str:
    """The settings as definitions in C, for the launcher."""
    settings = parts.app.settings
    told = [
        each for each in parts.kit.components if _BEHIND.get(each.name, frozenset()).intersection(("sys", *builtins))
    ]
    snapshot = ("#define CANNERY_SNAPSHOT",) if settings.static.snapshot else ()
    extensions = (f'#define CANNERY_EXTENSIONS "{EXTENSIONS}"',) if parts.extensions else ()
    return "\n".join((
        *extensions,
        *snapshot,
        f'#define CANNERY_MAIN_FILE "{parts.main_file()}"',
        f"#define CANNERY_OPTIMIZE {settings.optimize}",
        f"#define CANNERY_USE_ENVIRONMENT {int(settings.static.python_variables)}",
        '#define CANNERY_PREFIX "/usr/local"',
        f'#define CANNERY_COMPONENTS "{marked(told)}"',
    ))  # fmt: skip


def _contents(
    parts: ExecutableParts,
    archive: ModuleArchive,
    size: int,
    decisions: tuple[Decision, ...],
    snapshot: Snapshot | None,
) -> ExecutableContents:
    modules = {name: module.bytecode.size for name, module in archive.modules.items() if module.bytecode}
    files = {path: content.size for path, content in archive.files.items()}
    shared = dict.fromkeys(parts.libraries().files, 0)
    shared |= {path: content.size for content, path in _first_paths(parts.libraries()).items()}
    major, minor, _ = parts.kit.interpreter.version
    interpreter = {f"python{major}.{minor}": size - len(archive.data) - sum(shared.values())}
    decisions += late_modules(snapshot) if snapshot else ()
    return ExecutableContents(modules, interpreter | files | shared, decisions, snapshot)


def _first_paths(libraries: LinkedLibraries) -> dict[Content, str]:
    """What lies in the executable, with the first of the paths that it's found by."""
    return {content: path for path, content in reversed([*libraries.files.items()])}


def _programs() -> list[str | None]:
    """The versions of the programs that link and pack an executable."""
    return [_version(name) for name in ("ziglang", "zstandard")]


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
