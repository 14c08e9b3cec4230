"""CPython built from its source, with every extension module of the standard library linked in."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from cannery.executable.kit.file import PYTHONS_OWN
from cannery.executable.kit.libraries import jobs, library
from cannery.executable.kit.patches import unpacked_source
from cannery.executable.kit.sources import known_pythons
from cannery.executable.kit.toolchain import native_target
from cannery.workspace.keys import code_key, key_of, package_file
from cannery.workspace.process import find
from cannery.workspace.unaltered import unaltered_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cannery.executable.kit.toolchain import ZigToolchain

__all__ = ["NEEDED", "cpython", "from_archives", "modules_to_build"]

NEEDED = ("zlib", "bzip2", "xz", "libffi", "sqlite", "openssl")  # libraries
_PREFIX = "/usr/local"  # where the interpreter believes that it is installed

_NO_TESTS = "--disable-test-modules"
_FOR_TESTS = "py_cv_module__testinternalcapi=n/a"  # the one of them that links with nothing but a whole interpreter
_OPTIONS = (
    f"--prefix={_PREFIX}",
    "--disable-shared",
    _NO_TESTS,
    "--without-doc-strings",
    "--without-ensurepip",
    "--without-readline",
    "--without-mimalloc",  # of 3.13: the allocator of free-threaded Pythons
    "ac_cv_buggy_getaddrinfo=no",  # configure would have to run a program to see that; musl's isn't
    "ac_cv_file__dev_ptmx=yes",
    "ac_cv_file__dev_ptc=no",
)
_NO_PART = ("test", "tests", "idlelib", "tkinter", "turtledemo", "turtle.py", "ensurepip", "lib2to3")  # of a kit
_CTYPES_SOURCE = " _ctypes/_ctypes.c "
# The flags of _ctypes: the configure of 3.11 doesn't know it, and leaves its line in Modules/Setup.stdlib a comment.
_CTYPES = "-DHAVE_FFI_PREP_CIF_VAR -DHAVE_FFI_PREP_CLOSURE_LOC -DHAVE_FFI_CLOSURE_ALLOC -lffi"
# The log2 that zig compiles is off by 3e-7 below 2**-1022. Python has its own, and configure insists on the other.
_LOG2 = ("#define HAVE_LOG2 1\n", "/* #undef HAVE_LOG2 */\n")
_OBJECTS = re.compile(r"^(LIBHACL_\w+_LIB)_SHARED=", re.MULTILINE)  # what a module of hashes is linked from
_REPLACED = frozenset({"config.o", "deepfreeze.o", "frozen.o", "getpath.o"})  # by what is made for each executable
# Extension modules that need other libraries or another system; `uuid` and `dbm.dumb` do without theirs.
_LEFT_OUT = ("_curses", "_curses_panel", "_dbm", "_gdbm", "_tkinter", "_uuid", "nis", "ossaudiodev", "readline")


def cpython(tools: ZigToolchain, minor: str, *, tests: bool = False) -> Path:
    """The folder with ``lib`` (static libraries), ``include``, ``bin`` and the licence of CPython; built once.

    ``minor`` is one of :func:`known_pythons`. With ``tests`` the interpreter has the modules that CPython's own tests
    ask for. Raises :class:`ToolError` where a source can't be had, or a program of the build is missing or fails.
    """
    workspace = tools.workspace
    source = known_pythons()[minor]
    libraries = [library(name, tools) for name in NEEDED]
    names = [folder.name for folder in libraries]
    options = tuple(_FOR_TESTS if tests and option == _NO_TESTS else option for option in _OPTIONS)
    key = key_of("cpython", code_key(__name__), source, tools.version, tools.target, tools.FLAGS, names, options)

    def fill(folder: Path) -> None:
        workspace.progress(f"building Python {source.version} for {tools.target.platform}")
        with workspace.cache.scratch() as scratch:
            prefix = scratch / "prefix"
            for each in libraries:
                shutil.copytree(each, prefix, dirs_exist_ok=True)
            top = unpacked_source(source, scratch, workspace)
            _tell_musl(top)
            _configure(tools, top, prefix, (*options, *_options_for(tools, minor, prefix)))
            if tests:
                _without_loading(top)
            _build(tools, top)
            _collect(tools, top, folder)

    waiting = f"waiting for another build of Python {source.version}"
    return unaltered_folder(
        workspace.cache,
        "static-pythons",
        key,
        fill,
        without=PYTHONS_OWN,
        waiting=lambda: workspace.progress(waiting),
    )


def _options_for(tools: ZigToolchain, minor: str, prefix: Path) -> Iterator[str]:
    """The options of configure for a target; for another machine a Python is named that runs here."""
    native = native_target()
    yield f"--host={tools.target.triple}"
    yield f"--build={native.triple}"
    yield f"--with-openssl={prefix}"
    yield from (f"py_cv_module_{name}=n/a" for name in _LEFT_OUT)
    if native != tools.target:
        (python,) = (cpython(replace(tools, target=native), minor) / "bin").iterdir()
        yield f"--with-build-python={python}"


def _tell_musl(top: Path) -> None:
    """Let configure of 3.13 and later know musl: it looks for a name that zig's headers don't set."""
    triplet = top / "Misc/platform_triplet.c"
    if triplet.is_file():
        text = triplet.read_text(encoding="utf-8")
        triplet.write_text(text.replace("ifdef __DEFINED_va_list", "if 1"), encoding="utf-8")


def _configure(tools: ZigToolchain, top: Path, prefix: Path, options: Iterable[str]) -> None:
    settings = {
        **tools.programs(top),
        "CFLAGS": "-fwrapv -Wno-date-time -Wno-macro-redefined",
        "OPT": "-DNDEBUG",  # configure's own asks for speed after the compiler was asked for small code
        "CPPFLAGS": f"-I{prefix}/include",
        "LDFLAGS": f"-L{prefix}/lib -static",
        "LINKFORSHARED": " ",
        "MODULE_BUILDTYPE": "static",
        "READELF": "true",
        "PKG_CONFIG": "",
    }
    tools.run("./configure", *options, cwd=top, env=settings)
    found = (top / "pyconfig.h").read_text(encoding="utf-8")
    (top / "pyconfig.h").write_text(found.replace(*_LOG2), encoding="utf-8")
    (top / "Modules/Setup.local").write_text("\n".join(modules_to_build(top)), encoding="utf-8")


def _without_loading(top: Path) -> None:
    """Give ctypes the ``dlopen`` that it has in executables, which says that nothing can be loaded."""
    shutil.copy(package_file("executable/static/launcher/dl.c"), top / "Modules/_ctypes")
    setup = top / "Modules/Setup.local"
    found = setup.read_text(encoding="utf-8")
    setup.write_text(found.replace(_CTYPES_SOURCE, f"{_CTYPES_SOURCE}_ctypes/dl.c "), encoding="utf-8")


def modules_to_build(top: Path) -> Iterator[str]:
    """The lines for ``Modules/Setup.local``: the extension modules that configure found possible, but for tests.

    Tests' modules come behind ``*shared*`` in ``Modules/Setup.stdlib``, and may be followed by others.
    """
    kind = ""
    for line in (top / "Modules/Setup.stdlib").read_text(encoding="utf-8").splitlines():
        kind = line.strip() if line.startswith("*") else kind
        comment, ctypes, sources = line.partition(f"_ctypes{_CTYPES_SOURCE}")
        if kind != "*shared*":
            yield f"{ctypes}{sources} {_CTYPES}" if ctypes and comment else line


def _build(tools: ZigToolchain, top: Path) -> None:
    make = find("make", "gmake", step="install it: apt-get install make")
    path = os.pathsep.join([str(top / ".cannery"), *os.get_exec_path()])
    makefile = (top / "Makefile").read_text(encoding="utf-8")
    tools.run(make, jobs(), "python", *from_archives(makefile), cwd=top, env={"PATH": path})


def from_archives(makefile: str) -> Iterator[str]:
    """Settings of ``make`` by which Python is linked from the archives of its hashes, and not from their objects.

    Since 3.14 ``_hmac`` has the objects of ``_md5`` and others too, and a program takes each once (cpython#146264).
    """
    return (f"{name}_SHARED=$({name}_STATIC)" for name in _OBJECTS.findall(makefile))


def _collect(tools: ZigToolchain, top: Path, folder: Path) -> None:
    """Keep what links and what runs: libraries, headers, the interpreter, the modules in Python."""
    for part in ("lib", "include", "bin"):
        (folder / part).mkdir()
    for archive in (*top.glob("libpython3*.a"), *top.glob("Modules/**/*.a")):
        shutil.copy(archive, folder / "lib")
    shutil.copytree(top / "Include", folder / "include", dirs_exist_ok=True)
    shutil.copy(top / "pyconfig.h", folder / "include")
    (library_of_python,) = (folder / "lib").glob("libpython3*.a")
    members = tools.run(str(tools.zig), "ar", "t", str(library_of_python), cwd=top).split()
    replaced = sorted(_REPLACED.intersection(members))
    tools.run(str(tools.zig), "ar", "dD", str(library_of_python), *replaced, cwd=top)
    name = library_of_python.stem.removeprefix("lib")
    stdlib = folder / "lib" / name
    shutil.copytree(top / "Lib", stdlib, ignore=shutil.ignore_patterns("__pycache__", *_NO_PART))
    (stdlib / "lib-dynload").mkdir()  # the interpreter finds sys.exec_prefix by it
    shutil.copy(top / "python", folder / "bin" / name)
    shutil.copy(top / "LICENSE", folder)
    shutil.copy(top / "Modules/config.c", folder)  # the table of modules that are inside
