"""The libraries that the standard library's extension modules need, each built once as a static library."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.executable.kit.patches import unpacked_source
from cannery.executable.kit.sources import known_libraries
from cannery.executable.kit.toolchain import native_target
from cannery.workspace.files import explained
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import find
from cannery.workspace.unaltered import unaltered_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cannery.executable.kit.toolchain import ZigToolchain

    LibraryRecipe = Callable[
        [ZigToolchain, Path, Path], None
    ]  # from the unpacked source to a folder with lib and include

__all__ = ["LIBRARIES", "jobs", "library"]


def library(name: str, tools: ZigToolchain) -> Path:
    """The folder with ``lib``, ``include`` and the licence of the library ``name`` (of LIBRARIES) for the target.

    Raises :class:`ToolError` where its source can't be had, or a program of the build is missing or fails.
    """
    workspace = tools.workspace
    source = known_libraries()[name]
    key = key_of("library", code_key(__name__), source, tools.version, tools.target, tools.FLAGS)

    def fill(folder: Path) -> None:
        workspace.progress(f"building {name} {source.version} for {tools.target.platform}")
        for part in ("include", "lib"):
            (folder / part).mkdir()
        with workspace.cache.scratch() as scratch:
            top = unpacked_source(source, scratch, workspace)
            LIBRARIES[name](tools, top, folder)
            if source.license:
                shutil.copy(top / source.license, folder / "LICENSE")

    waiting = f"waiting for another build of {name}"
    return unaltered_folder(workspace.cache, "static-libraries", key, fill, waiting=lambda: workspace.progress(waiting))


def jobs() -> str:
    """The option that lets ``make`` use every core: ``-j8``."""
    return f"-j{len(os.sched_getaffinity(0))}"


def _zlib(tools: ZigToolchain, top: Path, folder: Path) -> None:
    _from_files(tools, folder, "z", sorted(top.glob("*.c")), ("-D_LARGEFILE64_SOURCE=1", "-DHAVE_UNISTD_H"))
    _copy(top, folder, "zlib.h", "zconf.h")


def _bzip2(tools: ZigToolchain, top: Path, folder: Path) -> None:
    names = ("blocksort", "huffman", "crctable", "randtable", "compress", "decompress", "bzlib")
    _from_files(tools, folder, "bz2", [top / f"{name}.c" for name in names], ("-D_FILE_OFFSET_BITS=64",))
    _copy(top, folder, "bzlib.h")


def _zstd(tools: ZigToolchain, top: Path, folder: Path) -> None:
    """The decompressor alone."""
    common = [path for path in sorted((top / "lib/common").glob("*.c")) if path.stem not in {"pool", "threading"}]
    sources = [*common, *sorted((top / "lib/decompress").glob("*.c"))]
    _from_files(tools, folder, "zstd", sources, _ZSTD)
    _copy(top / "lib", folder, "zstd.h", "zstd_errors.h")


# The decompressor lies in front of each packed executable, and each start waits for it: small, but fast first.
_ZSTD = (
    *("-O2", "-DZSTD_DISABLE_ASM=1", "-DZSTD_LEGACY_SUPPORT=0", "-DHUF_FORCE_DECOMPRESS_X1"),
    *("-DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT", "-DZSTD_STRIP_ERROR_STRINGS", "-DDYNAMIC_BMI2=0"),
)


def _sqlite(tools: ZigToolchain, top: Path, folder: Path) -> None:
    """SQLite's single file, which its sources are put together to, with what Debian and python.org turn on."""
    find("tclsh", step="install it: apt-get install tcl")
    compiler = shlex.join((*replace(tools, target=native_target()).compiler, "-O1"))  # for programs that run here
    _make(tools, top, top, "-f", "Makefile.linux-gcc", "TOP=.", f"BCC={compiler}", "sqlite3.c")
    features = ("FTS3", "FTS3_PARENTHESIS", "FTS4", "FTS5", "RTREE", "MATH_FUNCTIONS", "COLUMN_METADATA")
    flags = [f"-DSQLITE_ENABLE_{feature}" for feature in features]
    flags += ["-DSQLITE_THREADSAFE=1", "-DSQLITE_OMIT_LOAD_EXTENSION", "-DHAVE_USLEEP=1"]
    _from_files(tools, folder, "sqlite3", [top / "sqlite3.c"], flags)
    _copy(top, folder, "sqlite3.h")


def _xz(tools: ZigToolchain, top: Path, folder: Path) -> None:
    without = ("xz", "xzdec", "lzmadec", "lzmainfo", "lzma-links", "scripts", "doc", "nls", "shared")
    _configure(tools, top, *(f"--disable-{part}" for part in without))
    _make(tools, top, top / "src/liblzma")
    shutil.copy(top / "src/liblzma/.libs/liblzma.a", folder / "lib")
    shutil.copytree(top / "src/liblzma/api", folder / "include", dirs_exist_ok=True, ignore=_no_headers)


def _libffi(tools: ZigToolchain, top: Path, folder: Path) -> None:
    _configure(tools, top, "--disable-shared", "--enable-static", "--disable-docs", "--disable-exec-static-tramp")
    (built,) = (path for path in top.iterdir() if path.name == tools.target.triple or _is_build(path))
    _make(tools, top, built)
    shutil.copy(built / ".libs/libffi.a", folder / "lib")
    _copy(built / "include", folder, "ffi.h", "ffitarget.h")


def _openssl(tools: ZigToolchain, top: Path, folder: Path) -> None:
    """The part of OpenSSL that ``ssl`` and ``hashlib`` reach: no engines, no ciphers that nobody speaks any more."""
    perl = find("perl", step="install it: apt-get install perl")
    tools.run(
        perl,
        "./Configure",
        tools.target.openssl,
        *(f"no-{part}" for part in _OPENSSL_WITHOUT),
        "--prefix=/usr",
        "--openssldir=/etc/ssl",
        "--release",
        cwd=top,
        env=tools.programs(top),
    )
    _make(tools, top, top, "build_generated", "libcrypto.a", "libssl.a")
    for name in ("libcrypto.a", "libssl.a"):
        shutil.copy(top / name, folder / "lib")
    shutil.copytree(top / "include/openssl", folder / "include/openssl", ignore=_no_headers)


_OPENSSL_WITHOUT = (
    *("shared", "tests", "dso", "engine", "legacy", "comp", "module", "async", "afalgeng"),
    *("autoload-config", "makedepend"),
    # What neither of the two modules has a function for
    *("quic", "dtls", "srtp", "sctp", "cmp", "cms", "ct", "ts", "rfc3779", "srp", "nextprotoneg", "ssl-trace"),
    *("argon2", "http", "multiblock", "ocsp", "ssl3", "thread-pool"),
    # Algorithms that no server asks for any more, or that none asks for yet
    *("aria", "bf", "camellia", "cast", "idea", "md2", "md4", "mdc2", "ocb", "rc2", "rc4", "rc5", "seed", "siv"),
    *("gost", "sm2", "sm3", "sm4", "whirlpool", "weak-ssl-ciphers", "dsa", "ec2m", "ml-dsa", "slh-dsa"),
)


def _musl(_: ZigToolchain, top: Path, folder: Path) -> None:
    """The source of the dynamic linker, and nothing compiled.

    It has to fit the inner side of the C library, which comes with the zig that links an executable, and that may be
    another than the one that builds a kit. So it's compiled with each link, against that zig's own headers.
    """
    (folder / "include/musl").mkdir()
    shutil.copy(top / "ldso/dynlink.c", folder / "include/musl")


LIBRARIES: Mapping[str, LibraryRecipe] = {
    "zlib": _zlib,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstd": _zstd,
    "libffi": _libffi,
    "sqlite": _sqlite,
    "openssl": _openssl,
    "musl": _musl,
}


def _from_files(
    tools: ZigToolchain, folder: Path, name: str, sources: list[Path], flags: tuple[str, ...] | list[str]
) -> None:
    with tools.workspace.cache.scratch() as objects:
        tools.archive(tools.compile(sources, objects, flags), folder / "lib" / f"lib{name}.a")


def _copy(top: Path, folder: Path, *headers: str) -> None:
    with explained(folder):
        for header in headers:
            shutil.copy(top / header, folder / "include")


def _configure(tools: ZigToolchain, top: Path, *options: str) -> None:
    command = ("./configure", f"--host={tools.target.triple}", f"--build={_build_machine()}", *options)
    tools.run(*command, "CFLAGS=", cwd=top, env=tools.programs(top))


def _make(tools: ZigToolchain, top: Path, folder: Path, *targets: str) -> None:
    make = find("make", "gmake", step="install it: apt-get install make")
    path = os.pathsep.join([str(top / ".cannery"), *os.get_exec_path()])
    tools.run(make, jobs(), *targets, cwd=folder, env={"PATH": path})


def _build_machine() -> str:
    return f"{os.uname().machine}-pc-linux-gnu"  # never the target's triple, or configure would run what it compiles


def _is_build(path: Path) -> bool:
    return path.is_dir() and (path / "config.status").is_file()


def _no_headers(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not name.endswith(".h") and not Path(folder, name).is_dir()}
