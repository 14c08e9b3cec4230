"""What is in an executable, which scanners don't look into: its distributions, its Python, the libraries below that.

Nothing slow is imported here but where a bill of materials is made.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.image.content import Inline, OnDisk
from cannery.image.rootfs import MACHINE
from cannery.image.tree import File, Tree
from cannery.recipes.plan import LazyContents
from cannery.trees.package_database import package_entries, packages_of
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.bom.assembled import PlannedContents
    from cannery.bom.distributions import DistributionMetadata
    from cannery.bom.inventory import Item
    from cannery.executable.kit.kit import Kit
    from cannery.image.tree import LazyTree
    from cannery.project.requirements import Requirements
    from cannery.python.interpreter import Interpreter
    from cannery.recipes.static_program.executable import Executable
    from cannery.trees.app import AppTree
    from cannery.workspace.workspace import Workspace

__all__ = ["Ingredients", "PackedBundle", "contents_of_bundle", "contents_of_executable"]

_FOLDER: Final = "/usr/share/sbom"  # no folder that Python looks for modules in: these tell scanners alone
# What an executable of the recipe static is linked with -> the modules inside Python that need it
_BEHIND: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("Python", "musl"), frozenset({"sys"})),
    "OpenSSL": frozenset({"_hashlib", "_ssl"}),
    "SQLite": frozenset({"_sqlite3"}),
    "libffi": frozenset({"_ctypes"}),
    "zlib": frozenset({"zlib"}),
    "bzip2": frozenset({"_bz2"}),
    "xz": frozenset({"_lzma"}),
}


class Ingredients(NamedTuple):
    """What an executable is made of."""

    program: str  # its path in the image
    python: Interpreter
    own: AppTree
    wheels: LazyTree
    requirements: Requirements | None  # that the wheels are for


def contents_of_executable(made: Executable, kit: Kit, of: Ingredients, workspace: Workspace) -> LazyContents:
    """What is in an executable of the recipe ``static``, which was linked with ``kit``."""
    key = key_of("contents of an executable", code_key(__name__), made.tree.key, of.wheels.key, of.own.code.key)

    def make() -> PlannedContents:
        packed = made.contents().modules.keys()
        reached = made.reach.modules.items()
        modules = frozenset(name for name, module in reached if module.kind != "source" or name in packed)
        library = frozenset(name for name, _ in kit.builtins)
        items = tuple(_items_of_kit(kit, of.program, modules, made.packing))
        return _contents(of, modules, workspace, library=library, items=items)

    return LazyContents(key, make)


class PackedBundle(NamedTuple):
    """What PyInstaller and staticx have packed."""

    modules: Iterable[str]  # in PyInstaller's archive
    tree: LazyTree  # the other files, before staticx packs them
    libraries: Tree  # those that staticx adds
    machine: tuple[str, ...]  # paths on this machine of what was taken from it


def contents_of_bundle(made: PackedBundle, of: Ingredients, workspace: Workspace) -> LazyContents:
    """What is in an executable of the recipe ``onefile``."""
    contents = (file.content for _, file in made.libraries.files())
    taken = [*made.machine, *(str(each.path) for each in contents if isinstance(each, OnDisk))]
    owners, packages = packages_of(MACHINE, map(posixpath.realpath, taken), workspace)
    key = key_of("contents of a bundle", code_key(__name__), made.tree.key, of.wheels.key, of.own.code.key, packages)

    def make() -> PlannedContents:
        from dataclasses import replace  # noqa: PLC0415

        from cannery.bom.layer_contents import files_of_tree  # noqa: PLC0415

        inside = tuple(files_of_tree(made.tree.tree + made.libraries))
        named = {posixpath.basename(path): owners.get(posixpath.realpath(path)) for path in taken}
        theirs = {file.path: owner for file in inside if (owner := named.get(posixpath.basename(file.path)))}
        modules = frozenset((*made.modules, *_modules_in(file.path for file in inside)))
        known = _contents(of, modules, workspace)
        entries = package_entries(MACHINE, {name: (fields, ()) for name, fields in packages.items()})
        return replace(known, inside=inside, owners=theirs, beside=known.beside + entries)

    return LazyContents(key, make)


def _modules_in(paths: Iterable[str]) -> Iterator[str]:
    """The modules that lie beside PyInstaller's archive: extension modules, and those that Python starts with."""
    from cannery.imports.places import module_name  # noqa: PLC0415

    for path in paths:
        inside = path.removeprefix("/_internal/").removeprefix("base_library.zip/")
        inside = inside.partition("/lib-dynload/")[2] or inside
        if name := module_name(inside):
            yield name


def _contents(
    of: Ingredients,
    modules: frozenset[str],
    workspace: Workspace,
    *,
    library: frozenset[str] = frozenset(),
    items: tuple[Item, ...] = (),
) -> PlannedContents:
    from cannery.bom.assembled import PlannedContents  # noqa: PLC0415
    from cannery.imports.host import host_of  # noqa: PLC0415
    from cannery.recipes.archives import fetched_for  # noqa: PLC0415
    from cannery.recipes.known_distributions import distributions_in_code, distributions_of, library_of  # noqa: PLC0415

    known = {**distributions_of(of.wheels, workspace), **distributions_in_code(of.own.code)}
    builtins = host_of(of.python, workspace).builtins
    inside = (builtins & modules) | (builtins - library)  # of a kit only those that something imports are linked
    return PlannedContents(
        known,
        library_of(of.python, workspace) | library,
        frozenset(inside),
        of.program,
        modules,
        items,
        beside=Tree(dict(_metadata(known.values(), modules))),
        archives=lambda: fetched_for(of.requirements, of.wheels, workspace),
    )


def _metadata(known: Iterable[DistributionMetadata], modules: frozenset[str]) -> Iterator[tuple[str, File]]:
    """The metadata of distributions that have some of ``modules``, as far as scanners read it."""
    for each in known:
        if each.modules & modules:
            lines = ["Metadata-Version: 2.4", f"Name: {each.name}", f"Version: {each.version}"]
            lines += [f"License-Expression: {each.licence}"] if each.licence else []
            content = Inline("".join(f"{line}\n" for line in lines).encode())
            yield f"{_FOLDER}/{each.name.replace('-', '_')}-{each.version}.dist-info/METADATA", File(content)


def _items_of_kit(kit: Kit, program: str, modules: frozenset[str], packing: str) -> Iterator[Item]:
    """The Python of a kit, and the libraries of it that are linked in, each with what it was built from."""
    from cannery.bom.known_software import built_from_source, software  # noqa: PLC0415
    from cannery.executable.kit.sources import debian_packages, known_libraries, known_pythons  # noqa: PLC0415

    minor = ".".join(map(str, kit.interpreter.version[:2]))
    sources = {**known_libraries(), "Python": known_pythons().get(minor)}
    for each in kit.components:
        if not (_BEHIND.get(each.name, frozenset()) & (modules | {"sys"}) or each.name == packing):
            continue
        name = each.name if each.name in sources else each.name.lower()
        source = sources.get(name)
        if source is None or source.full_version != each.version or each.name == "musl":  # which is zig's
            yield software(each.name, each.version, paths=(program,), origin="linked from the kit")
        else:
            patches = source.patches.archives[:1] if source.patches else ()
            archives = [(one.address, one.sha256) for one in (*source.archives[:1], *patches)]
            debian = debian_packages()[minor if name == "Python" else name] if source.patches else ""
            yield built_from_source(each.name, each.version, program, archives, debian)
