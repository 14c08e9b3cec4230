"""The runtime of an image from scratch: all that others take from a base image, read from a root filesystem."""

from __future__ import annotations

import posixpath
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from cannery.elf.need import Need
from cannery.errors import RuntimeTreeError
from cannery.image.content import OnDisk
from cannery.image.rootfs import MACHINE, Root
from cannery.image.tree import File, LazyTree, Tree
from cannery.python.stdlib import interpreter_tree, known_modules
from cannery.trees.needs import Needs
from cannery.trees.package_database import package_database, packages_of
from cannery.trees.system import (
    certificates,
    local_zone_tree,
    locale_tree,
    system_tree,
    terminals_tree,
    without_remarks,
    zones_tree,
)
from cannery.workspace.contents import contents_key
from cannery.workspace.digest import Digest
from cannery.workspace.files import stamp
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.elf.closure import Closure
    from cannery.image.content import Content
    from cannery.image.tree import Transform
    from cannery.project.app import App
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["bare_python", "libraries_of", "packs_relocations", "runtime", "system", "with_opened"]


def runtime(
    app: App,
    interpreter: Interpreter,
    needs: Needs,
    workspace: Workspace,
    shaken: Transform | None = None,
    *,
    certificates_wanted: bool = True,
) -> LazyTree:
    """The interpreter, the standard library, the closure of shared libraries, and the system's small files.

    ``shaken`` takes unreached modules out of the standard library, before shared libraries are looked for. If ``_ssl``
    is among them, CA certificates stay out, too, unless other files look for them: ``certificates_wanted``. Raises
    :class:`cannery.errors.RuntimeTreeError` for a shared library that can't be found.
    """
    root = interpreter.root
    wanted = needs.modules - {"zoneinfo"} | known_modules(app.settings.stdlib)
    python = _python(interpreter, wanted)
    if shaken is not None:
        python |= shaken
    given = certificates(app.settings, app.folder, root)
    bundle: Content | None = given
    if shaken is not None and app.settings.ca_certificates is None:
        lost = not certificates_wanted and _has_lost_tls(interpreter, python.tree)
        bundle = None if lost else without_remarks(given)
    zones = app.settings.timezones
    if zones == "auto":
        zones = "zoneinfo" in needs.modules and not needs.brings_zones
    named = Needs(tuple(Need(soname, "[tool.cannery] libraries", ()) for soname in app.settings.libraries))
    libraries = _remembered_closure(interpreter, python, needs + named, app.settings.allow_missing, workspace)
    data = locale_tree(root, workspace.cache)
    if zones:
        data += zones_tree(root, workspace.cache)
    if zones or "zoneinfo" in needs.modules:
        data += local_zone_tree()
    if "curses" in wanted:
        data += terminals_tree(root, workspace.cache)
    program = (interpreter.inside(path) for path in (interpreter.executable, *map(Path.resolve, libraries.values())))
    _, packages = packages_of(root, program, workspace) if interpreter.packages is None else ({}, {})
    key = key_of(
        "runtime", code_key(__name__), python.key, app.settings.uid, bundle and Digest.of_content(bundle),
        _contents(libraries, workspace), data.key, packages,
    )  # fmt: skip

    def make() -> Tree:
        tree = _shared(libraries) + python.tree + system_tree(app.settings.uid, bundle) + data.tree
        return tree + package_database(interpreter, tree, workspace)

    return LazyTree(key, make)


def system(app: App, workspace: Workspace, *, zones: bool, root: Root = MACHINE) -> LazyTree:
    """The system's small files alone, for a program that brings everything else; with ``zones`` the time zones, too."""
    bundle = certificates(app.settings, app.folder, root)
    key = key_of("system", code_key(__name__), app.settings.uid, Digest.of_content(bundle))
    tree = LazyTree(key, lambda: system_tree(app.settings.uid, bundle))
    return tree + zones_tree(root, workspace.cache) + local_zone_tree() if zones else tree


def bare_python(interpreter: Interpreter, workspace: Workspace) -> tuple[LazyTree, tuple[str, ...]]:
    """The interpreter with its standard library and shared libraries, and the folders that the latter lie in."""
    python = _python(interpreter, frozenset())
    libraries = _remembered_closure(interpreter, python, Needs(), (), workspace)
    key = key_of("bare python", code_key(__name__), python.key, _contents(libraries, workspace))
    folders = tuple(sorted({posixpath.dirname(path) for path in libraries}))
    return LazyTree(key, lambda: _shared(libraries) + python.tree), folders


def packs_relocations(interpreter: Interpreter, workspace: Workspace) -> bool:
    """True where the interpreter's C library reads packed relocations (DT_RELR, glibc 2.36 and later)."""
    from cannery.elf.versions import GLIBC_ABI_DT_RELR  # noqa: PLC0415  # for images of one recipe alone

    nothing = LazyTree(key_of("no modules"), Tree)
    libraries = _remembered_closure(interpreter, nothing, Needs(), (), workspace)
    named = (path for name, path in libraries.items() if posixpath.basename(name).startswith("libc.so."))
    return any(GLIBC_ABI_DT_RELR in path.read_bytes() for path in named)


def with_opened(needs: Needs, interpreter: Interpreter, workspace: Workspace) -> Needs:
    """``needs`` with the shared libraries that code opens by name among the others, as far as the runtime has them.

    Code goes on without those that are absent, or fails as it does there.
    """
    if not needs.opened:
        return needs
    found = _remembered_opened(needs.opened, interpreter, workspace)
    return structs.replace(needs, opened=frozenset()) + Needs(tuple(Need(name, "code that opens it") for name in found))


def _remembered_opened(names: frozenset[str], interpreter: Interpreter, workspace: Workspace) -> list[str]:
    """The sonames of those libraries of the runtime that ``names`` mean, remembered until the search has changed."""
    key = key_of("opened", code_key(__name__), interpreter.fingerprint, sorted(names), interpreter.root)
    known = workspace.cache.recall("opened-libraries", key)
    if known is None or any(stamp(Path(path)) != before for path, before in known["searched"].items()):
        from cannery.elf.closure import opened_by_name, searched  # noqa: PLC0415  # not needed when nothing has changed

        program = interpreter.inside(interpreter.executable)
        before = {str(path): stamp(path) for path in searched(program, interpreter.root)}
        known = {"names": list(opened_by_name(names, program, interpreter.root)), "searched": before}
        workspace.cache.remember("opened-libraries", key, known)
    return list(known["names"])


def _python(interpreter: Interpreter, wanted: frozenset[str]) -> LazyTree:
    """The interpreter and the modules of its standard library that go in, among them those that are ``wanted``."""
    key = key_of("python", code_key(__name__), interpreter.fingerprint, sorted(wanted))
    return LazyTree(key, lambda: interpreter_tree(interpreter, wanted))


def _has_lost_tls(interpreter: Interpreter, python: Tree) -> bool:
    """True where the interpreter has the extension module for TLS, ``_ssl``, and the tree ``python`` hasn't."""
    has = interpreter.dynload is not None and any(interpreter.dynload.glob("_ssl.*"))
    return has and not any(posixpath.basename(path).startswith("_ssl.") for path in python.entries)


def _shared(libraries: Mapping[str, Path]) -> Tree:
    return Tree({name: File(OnDisk(path, path.stat().st_size), 0o755) for name, path in libraries.items()})


def _contents(libraries: Mapping[str, Path], workspace: Workspace) -> str:
    """A name for what ``libraries`` hold, by their paths in the image."""
    return contents_key(((name, path, stamp(path)) for name, path in libraries.items()), workspace.cache)


def _remembered_closure(
    interpreter: Interpreter,
    python: LazyTree,
    needs: Needs,
    allow_missing: tuple[str, ...],
    workspace: Workspace,
) -> dict[str, Path]:
    """The shared libraries by image path, remembered until one of them has changed."""
    root = interpreter.root
    wanted = [asdict(need) for need in needs.libraries]
    key = key_of("closure", code_key(__name__), interpreter.fingerprint, python.key, wanted, allow_missing, root)
    known = workspace.cache.recall("closures", key)
    if known is not None:
        paths = {name: root.path / path for name, (path, _) in known.items()}
        if all(stamp(paths[name]) == before for name, (_, before) in known.items()):
            return paths
    workspace.progress("looking for shared libraries")
    found = _closure(interpreter, python.tree, needs, allow_missing)
    paths = {name: content.path for name, content in found.libraries.items()}
    if not found.missing:  # what is missing may be there the next time
        workspace.cache.remember("closures", key, {name: (str(path), stamp(path)) for name, path in paths.items()})
    return paths


def _closure(interpreter: Interpreter, python: Tree, needs: Needs, allow_missing: tuple[str, ...]) -> Closure:
    from cannery.elf.closure import needs_of_file  # noqa: PLC0415  # not needed when nothing has changed

    own = [
        need
        for path, file in python.files()
        if "/lib-dynload/" in path and isinstance(file.content, OnDisk)
        for need in needs_of_file(file.content, str(file.content.path), interpreter.inside(file.content.path.parent))
    ]
    program = interpreter.inside(interpreter.executable)
    return libraries_of(program, [*own, *needs.libraries], interpreter.root, allow_missing)


def libraries_of(program: str, needs: Iterable[Need], root: Root, allow_missing: tuple[str, ...]) -> Closure:
    """The shared libraries that ``program`` and the ``needs`` of others lead to.

    Raises :class:`RuntimeTreeError` for one that can't be found, and says by which setting it may be missing.
    """
    from cannery.elf.closure import MissingLibraryError, closure_of  # noqa: PLC0415  # not needed when nothing has changed

    try:
        return closure_of(program, needs, root, allow_missing=allow_missing)
    except MissingLibraryError as error:
        need = error.need
        raise RuntimeTreeError(
            error.what,
            evidence=error.evidence,
            step=f"install the system's package that has it; or, when {posixpath.basename(need.by)} is never used, "
            f"set  [tool.cannery]  allow-missing = [{need.soname!r}]",
        ) from error
