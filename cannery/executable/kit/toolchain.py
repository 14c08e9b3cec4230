"""The C compiler: zig, which comes from PyPI, brings musl, and compiles for any machine on any machine."""

from __future__ import annotations

import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError, ToolError
from cannery.image.platform import TRIPLETS, Platform
from cannery.workspace.compilers import find_zig, zig_variables
from cannery.workspace.extras import installing
from cannery.workspace.files import explained
from cannery.workspace.process import ProgramFailed
from cannery.workspace.shortage import shortage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from cannery.workspace.workspace import Workspace

__all__ = ["TARGETS", "BuildTarget", "ZigToolchain", "native_target", "target_for", "toolchain"]


@dataclass(frozen=True, slots=True)
class BuildTarget:
    """A machine that executables are made for, by everybody's name for it."""

    platform: str  # in Go's words, as "linux/amd64" (OCI image-spec v1.1, config.md)
    triple: str  # for zig and for autoconf
    openssl: str  # for OpenSSL's Configure
    wheels: str  # for uv's --python-platform: with glibc, so that versions are chosen as for other recipes


TARGETS = tuple(
    BuildTarget(f"linux/{architecture}", f"{name}-linux-musl", f"linux-{name}", f"{name}-manylinux_2_40")
    for architecture, name in TRIPLETS.items()
)


def target_for(platform: Platform | str) -> BuildTarget:
    """The target for ``platform``; raises :class:`ConfigurationError` where no static executable can be made for it."""
    wanted = Platform.parse(str(platform))
    for target in TARGETS:
        if Platform.parse(target.platform).agrees(wanted):
            return target
    raise ConfigurationError(
        f"no static executable can be made for {platform}",
        step=f"platforms are: {', '.join(target.platform for target in TARGETS)}",
    )


def native_target() -> BuildTarget:
    """The target for this machine; raises :class:`ConfigurationError` where no executable can be made on it."""
    machine = os.uname().machine
    for target in TARGETS:
        if target.triple.startswith(f"{machine}-"):
            return target
    raise ConfigurationError(
        f"no static executable can be made on {machine}", step="build on x86-64 or on a 64-bit ARM machine"
    )


@dataclass(frozen=True, slots=True)
class ZigToolchain:
    """zig as C compiler, archiver and linker for one target."""

    zig: Path
    version: str
    target: BuildTarget
    workspace: Workspace

    # Small code, each function in a section of its own, so that the link can leave out what nothing calls.
    FLAGS = (
        *("-Os", "-g0", "-ffunction-sections", "-fdata-sections"),
        *("-fno-unwind-tables", "-fno-asynchronous-unwind-tables"),
    )

    @property
    def compiler(self) -> tuple[str, ...]:
        """The command of the C compiler."""
        return (str(self.zig), "cc", "-target", self.target.triple)

    @property
    def libc(self) -> Path:
        """The folder of zig's sources of C libraries."""
        return self.zig.parent / "lib/libc"

    @property
    def inner_musl(self) -> tuple[str, ...]:
        """The flags for C that belongs to the C library itself, and sees its inner side."""
        machine, musl = self.target.triple.partition("-")[0], self.libc / "musl"
        inside = ("arch/" + machine, "arch/generic", "src/include", "src/internal", "include")
        folders = [*(musl / each for each in inside)]
        folders += [self.libc / "include" / each for each in (self.target.triple, "generic-musl")]
        flags = ("-std=c99", "-nostdinc", "-ffreestanding", "-D_XOPEN_SOURCE=700", "-w", "-fno-stack-protector")
        return (*flags, *(f"-I{folder}" for folder in folders))

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of every program of a build: zig's, and those that make its output the same every time."""
        return {
            **zig_variables(self.workspace.cache.root),
            "SOURCE_DATE_EPOCH": "1",
            "LC_ALL": "C",
            "TZ": "UTC",
        }

    @property
    def musl(self) -> str:
        """The version of the C library that zig brings."""
        header = self.zig.resolve().parent / "lib/libc/musl/src/internal/version.h"
        with explained(header, "read"):
            return header.read_text(encoding="utf-8").split('"')[1]

    def run(self, *command: str, cwd: Path, env: Mapping[str, str] | None = None) -> str:
        """Run ``command`` in ``cwd`` and return its standard output; raises :class:`ToolError` where it fails."""
        try:
            return self.workspace.run(command, cwd=cwd, env={**self.environment, **(env or {})}).stdout
        except ProgramFailed as error:
            raise shortage(error, self.workspace.cache.root) or error from error

    def compile(self, sources: Iterable[Path], folder: Path, flags: Sequence[str] = ()) -> list[Path]:
        """Compile C files, on all cores, to object files in ``folder``."""

        def compile_one(source: Path) -> Path:
            target = folder / f"{source.stem}.o"
            prefix = f"-ffile-prefix-map={source.parent}=."
            command = (*self.compiler, *self.FLAGS, prefix, *flags, "-c", source.name, "-o", str(target))
            self.run(*command, cwd=source.parent)
            return target

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(compile_one, sources))

    def archive(self, objects: Iterable[Path], target: Path) -> None:
        """Put object files into a static library, without times and owners."""
        target.unlink(missing_ok=True)
        self.run(str(self.zig), "ar", "rcsD", str(target), *map(str, objects), cwd=target.parent)

    def programs(self, top: Path) -> dict[str, str]:
        """The variables for the makefiles of a source in ``top``: ``CC``, ``AR``, ``RANLIB``, and a ``PATH`` with them.

        ``CC`` is a script that holds the compiler's path and its flags: some builds write the value of ``CC`` into
        what they make.
        """
        folder = top / ".cannery"
        commands = {
            "cc": (*self.compiler, *self.FLAGS, f"-ffile-prefix-map={top}=."),
            "ar": (str(self.zig), "ar"),
            "ranlib": (str(self.zig), "ranlib"),
        }
        with explained(folder):
            folder.mkdir()
            for name, command in commands.items():
                (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
                (folder / name).chmod(0o755)
        path = os.pathsep.join([str(folder), *os.get_exec_path()])
        return {"PATH": path, **{name.upper(): name for name in commands}}


def toolchain(target: BuildTarget, workspace: Workspace) -> ZigToolchain:
    """The toolchain for ``target``; raises :class:`ToolError` where zig isn't installed."""
    from importlib.metadata import version  # noqa: PLC0415

    zig = find_zig()
    if zig is None:
        raise ToolError("zig is not installed, the C compiler for static executables", step=installing("static"))
    return ZigToolchain(zig, version("ziglang"), target, workspace)
