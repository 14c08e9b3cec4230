"""The link: one executable from a kit's libraries, the modules that the app reaches, and the launcher."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from cannery.executable.kit.package_note import note_of_kit
from cannery.executable.kit.toolchain import toolchain
from cannery.executable.static.exports import assembly, library_file
from cannery.workspace.files import explained
from cannery.workspace.keys import code_key, key_of, package_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cannery.executable.kit.kit import Kit
    from cannery.executable.kit.toolchain import ZigToolchain
    from cannery.executable.static.archive import ModuleArchive
    from cannery.executable.static.libraries import LinkedLibraries
    from cannery.workspace.workspace import Workspace

__all__ = ["EARLY", "LAUNCHER", "LINK", "WARNINGS", "embed", "link"]

LAUNCHER = package_file("executable/static/launcher")
_SOURCES = ("main.c", "inner.c", "dl.c", "libc.c")
_SNAPSHOT = (
    *("memory.c", "pools.c", "snapshot.c", "imports.c", "names.c", "ending.c"),
    *("objects.c", "hashes.c", "notes.c", "outside.c", "start.c"),
)
_SNAPSHOT_HEADERS = ("hashes.h", "memory.h", "snapshot.h", "start.h")
_NO_LINKER, _LINKER = "dl.c", "linker.c"  # the former where there's nothing to load
_PAGES = {"linux/amd64": 1 << 12, "linux/arm64": 1 << 16}  # the largest that a kernel of the platform may have

# What Python imports before the importer is there: frozen, under these names.
EARLY = (
    *("_frozen_importlib", "_frozen_importlib_external", "_cannery_importer"),
    *("abc", "codecs", "encodings", "encodings.aliases", "encodings.utf_8", "io", "warnings"),
)
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wno-date-time")
LINK = ("-static", "-Wl,--gc-sections", "-Wl,-s", "-Wl,--build-id=none")


def link(
    kit: Kit,
    archive: ModuleArchive,
    libraries: LinkedLibraries,
    builtins: Iterable[str],
    header: str,
    target: Path,
    workspace: Workspace,
    *,
    snapshot: bool = False,
) -> None:
    """Link the executable ``target``, which is not packed yet.

    ``builtins`` are the modules inside Python that go in, ``header`` is C with the app's settings as macros. Where
    there are ``libraries`` to load, so is what loads them. Raises :class:`ToolError` where zig isn't installed or
    fails.
    """
    tools = toolchain(kit.target, workspace)
    functions = dict(kit.builtins)
    with workspace.cache.scratch() as folder, explained(folder):
        (folder / "archive.bin").write_bytes(archive.data)
        embedded = embed("cannery_archive", "archive.bin") + note_of_kit(kit).assembly
        (folder / "archive.S").write_text(embedded, encoding="utf-8")
        (folder / "app.h").write_text(_header(archive, header), encoding="utf-8")
        (folder / "app.c").write_text("\n".join(_tables(archive, sorted(builtins), functions)), encoding="utf-8")
        sources = [name for name in _SOURCES if not (libraries.linker and name == _NO_LINKER)]
        sources += _SNAPSHOT if snapshot else ()
        for name in (*sources, *_SNAPSHOT_HEADERS):
            shutil.copy(LAUNCHER / name, folder)
        headers = (f"-I{kit.include}", f"-I{kit.include}/internal", "-I.")
        objects = tools.compile(
            [folder / name for name in (*sources, "app.c", "archive.S")], folder, (*WARNINGS, *headers)
        )
        objects += _linker(kit, libraries, folder, tools) if libraries.linker else []
        archives = ("-Wl,--start-group", *map(str, kit.libraries), "-Wl,--end-group")
        key = key_of("linked", code_key(__name__), tools.version, tools.target.triple)
        first = workspace.cache.recall("linked", key) is None
        workspace.progress("linking, once with the C library to be compiled by zig" if first else "linking")
        link_flags = [flag for flag in LINK if not (snapshot and flag == "-Wl,-s")]
        link_flags += ["-Wl,-u,cannery_start"] if snapshot else []
        tools.run(*tools.compiler, *link_flags, *map(str, objects), *archives, "-o", str(target), cwd=folder)
        workspace.cache.remember("linked", key, {})


def _linker(kit: Kit, libraries: LinkedLibraries, folder: Path, tools: ZigToolchain) -> list[Path]:
    """The dynamic linker and the ``libraries``, as object files in ``folder``."""
    for number, content in enumerate(libraries.contents):
        with content.open() as stream, (folder / library_file(number)).open("wb") as target:
            shutil.copyfileobj(stream, target)
    text = assembly(libraries, _PAGES[tools.target.platform])
    (folder / "libraries.S").write_text(text, encoding="utf-8")
    shutil.copy(LAUNCHER / _LINKER, folder)
    linker = tools.compile([folder / _LINKER], folder, (*tools.inner_musl, f"-I{kit.linker}"))
    return [*linker, *tools.compile([folder / "libraries.S"], folder)]


def embed(symbol: str, name: str, text: str = "") -> str:
    """Assembly that puts the file ``name`` into an executable, between ``symbol`` and ``symbol_end``, then ``text``."""
    lines = (
        f'.section .rodata.{symbol},"a"',
        ".balign 16",
        f".global {symbol}",
        f"{symbol}:",
        f'.incbin "{name}"',
        f".global {symbol}_end",
        f"{symbol}_end:",
        f'.asciz "{text}"',
        '.section .note.GNU-stack,"",%progbits',
        "",
    )
    return "\n".join(lines)


def _header(archive: ModuleArchive, settings: str) -> str:
    offset, size = archive.index
    declared = "extern const unsigned char cannery_archive[], cannery_archive_end[];"
    return f"{declared}\n#define CANNERY_INDEX {offset}\n#define CANNERY_INDEX_SIZE {size}\n{settings}\n"


def _tables(archive: ModuleArchive, builtins: list[str], functions: dict[str, str]) -> Iterator[str]:
    """Lines of C: CPython's tables of built-in modules (_PyImport_Inittab) and of frozen ones (_PyImport_Frozen*)."""
    yield "#define Py_BUILD_CORE 1"
    yield '#include <Python.h>\n#include <stdbool.h>\n#include "pycore_import.h"\n#include "app.h"'
    own = ("_cannery", "PyInit__cannery")
    table = [own, *((name, functions[name]) for name in builtins if name in functions)]
    yield from (f"extern PyObject *{function}(void);" for _, function in table)
    yield "struct _inittab _PyImport_Inittab[] = {"
    yield from (f'    {{"{name}", {function}}},' for name, function in table)
    yield '    {"builtins", NULL}, {"sys", NULL}, {NULL, NULL}\n};'
    yield "static const struct _frozen early[] = {"
    for name in EARLY:
        if name in archive.places:
            offset, size = archive.places[name]
            package = "true" if archive.modules[name].package else "false"
            place = f".code = cannery_archive + {offset}, .size = {size}"
            yield f'    {{.name = "{name}", {place}, .is_package = {package}}},'
    yield "    {.name = NULL}\n};"
    yield "static const struct _frozen none[] = {{.name = NULL}};"
    yield "static const struct _module_alias aliases[] = {{NULL, NULL}};"
    yield "const struct _frozen *_PyImport_FrozenBootstrap = early;"
    yield "const struct _frozen *_PyImport_FrozenStdlib = none;"
    yield "const struct _frozen *_PyImport_FrozenTest = none;"
    yield "const struct _module_alias *_PyImport_FrozenAliases = aliases;"
    yield "const struct _frozen *PyImport_FrozenModules = NULL;"
