"""A kit: a static Python and all that an executable is linked from, for one version and one platform."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cannery.errors import ConfigurationError
from cannery.executable.kit.cpython import NEEDED, cpython
from cannery.executable.kit.libraries import library
from cannery.executable.kit.sources import known_sources
from cannery.executable.kit.toolchain import native_target, target_for, toolchain
from cannery.image.content import OnDisk
from cannery.image.platform import Platform
from cannery.python.interpreter import describe
from cannery.workspace.digest import Digest
from cannery.workspace.files import explained, replacing
from cannery.workspace.invocation import program_name
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.executable.kit.toolchain import BuildTarget
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["Kit", "built_kit", "built_version", "file_name", "given_kit", "write_configuration", "write_kit"]

_FORMAT = 1  # of a kit's file: counts up when something else is in it, so that an older cannery refuses it
_ABOUT = "kit.json"
# The variables of sysconfig that programs ask for where nothing is built. The others name the machine of the build.
_CONFIGURATION = {
    "EXT_SUFFIX": ".so",
    "Py_DEBUG": 0,
    "Py_ENABLE_SHARED": 0,
    "SOABI": "",
    "TZPATH": "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo",
}
_LIBRARIES = (*NEEDED, "zstd")
_TABLE = re.compile(r'^\s*\{"(\w+)", (PyInit_\w+|_?Py\w+)\},', re.MULTILINE)  # of Modules/config.c


@dataclass(frozen=True, slots=True)
class Kit:
    """An unpacked kit, and the Python that compiles for it."""

    folder: Path
    key: str  # another one for other contents
    target: BuildTarget
    interpreter: Interpreter  # runs here, and has the kit's own standard library
    builtins: tuple[tuple[str, str], ...]  # the modules inside Python, with their PyInit functions

    @property
    def include(self) -> Path:
        """The folder of the headers."""
        return self.folder / "include"

    @property
    def libraries(self) -> tuple[Path, ...]:
        """The static libraries, Python's own first."""
        found = sorted(
            (self.folder / "lib").glob("*.a"), key=lambda path: (not path.name.startswith("libpython"), path)
        )
        return tuple(found)


def built_kit(platform: Platform | str, workspace: Workspace) -> Kit:
    """The kit for ``platform``, built from its sources unless the cache has it.

    Raises :class:`ConfigurationError` for a platform that there are no kits for, :class:`ToolError` where it can't be
    built.
    """
    target = target_for(platform)
    tools = toolchain(target, workspace)
    python = cpython(tools)
    libraries = [library(name, tools) for name in _LIBRARIES]
    key = key_of("kit", code_key(__name__), python.name, [folder.name for folder in libraries])
    folder = workspace.cache.folder("kits", key, partial(_assemble, python, libraries, target))
    runs_here = folder if target == native_target() else built_kit(native_target().platform, workspace).folder
    return _opened(folder, key, runs_here, workspace)


def built_version(wanted: str | None = None) -> str:
    """The version of the Python in kits that are built here.

    Raises :class:`ConfigurationError` where another one is ``wanted``: the launcher uses internals of this version.
    """
    version = known_sources()["cpython"].version
    if wanted is not None and not f"{version}.".startswith(f"{wanted}."):
        raise ConfigurationError(
            f"cannery builds kits of Python {version}, and of no other: {wanted!r} isn't that",
            step="leave --python out; the recipes tiny, scratch and onefile pack any Python from 3.11 on",
        )
    return version


def given_kit(path: Path, platform: Platform | str, workspace: Workspace) -> Kit:
    """The kit in the file ``path``, or the one for ``platform`` in the folder ``path``, by its usual name.

    Raises :class:`ConfigurationError` where there is no kit, or only one for another platform.
    """
    file = _in_folder(path, platform) if path.is_dir() else path
    folder, key = _unpacked(file, workspace)
    about = _about(folder, file)
    if about["platform"] != str(platform):
        raise ConfigurationError(
            f"{file} is a kit for {about['platform']}, and the image is for {platform}",
            step=f"take one for {platform}: {program_name()} kit --platform {platform}",
        )
    native = native_target().platform
    if str(platform) == native:
        return _opened(folder, key, folder, workspace)
    runs_here = (
        _unpacked(_in_folder(path, native), workspace)[0] if path.is_dir() else built_kit(native, workspace).folder
    )
    return _opened(folder, key, runs_here, workspace)


def file_name(kit: Kit) -> str:
    """The usual name of the kit's file: ``python-3.11.2-linux-amd64.kit``."""
    return f"python-{kit.interpreter.version_text}-{kit.target.platform.replace('/', '-')}.kit"


def _in_folder(folder: Path, platform: Platform | str) -> Path:
    with explained(folder, "read"):
        found = sorted(folder.glob("*.kit"))
    fitting = [path for path in found if path.stem.endswith(f"-{str(platform).replace('/', '-')}")]
    if not fitting:
        raise ConfigurationError(
            f"there is no kit for {platform} in {folder}",
            evidence="\n".join(path.name for path in found),
            step=f"make one: {program_name()} kit --platform {platform}, and keep its name",
        )
    return fitting[-1]


def _unpacked(path: Path, workspace: Workspace) -> tuple[Path, str]:
    """The folder of the kit in the file ``path``, and its key."""
    if not path.is_file():
        raise ConfigurationError(f"there is no kit {path}", step="correct  [tool.cannery.static]  kit, or CANNERY_KIT")
    with explained(path, "read"):
        key = Digest.of_content(OnDisk(path, path.stat().st_size)).hex

    def unpack(folder: Path) -> None:
        try:
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, EOFError) as error:
            raise _no_kit(path, str(error)) from error

    return workspace.cache.folder("kits", key, unpack), key


def write_kit(kit: Kit, path: Path) -> Digest:
    """Write ``kit`` as one file, a tar in xz that is the same for the same kit; returns the file's digest."""
    with (
        replacing(path, made_here=b"\xfd7zXZ\0") as stream,
        tarfile.open(fileobj=stream, mode="w:xz", preset=3) as archive,
    ):
        for each in sorted(path for path in kit.folder.rglob("*") if "__pycache__" not in path.parts):
            info = archive.gettarinfo(each, each.relative_to(kit.folder).as_posix())
            info.uid = info.gid = info.mtime = 0
            info.uname = info.gname = ""
            info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
            if info.isreg():
                with each.open("rb") as content:
                    archive.addfile(info, content)
            else:
                archive.addfile(info)
    return Digest.of_content(OnDisk(path, path.stat().st_size))


def _assemble(python: Path, libraries: list[Path], target: BuildTarget, folder: Path) -> None:
    shutil.copytree(python, folder, dirs_exist_ok=True)
    licenses = folder / "licenses"
    licenses.mkdir()
    (folder / "LICENSE").rename(licenses / "cpython")
    for name, each in zip(_LIBRARIES, libraries, strict=True):
        for part in ("lib", "include"):
            shutil.copytree(each / part, folder / part, dirs_exist_ok=True)
        if (each / "LICENSE").is_file():
            shutil.copy(each / "LICENSE", licenses / name)
    write_configuration(folder, target)
    about = {"format": _FORMAT, "platform": target.platform, "builtins": _builtins(folder / "config.c")}
    (folder / "config.c").unlink()
    (folder / _ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")


def write_configuration(folder: Path, target: BuildTarget) -> None:
    """Add ``_sysconfigdata__linux_*``, the module that sysconfig reads, to the standard library below ``folder``."""
    (stdlib,) = (folder / "lib").glob("python3*")
    data = stdlib / f"_sysconfigdata__linux_{target.triple}.py"
    data.write_text(f"build_time_vars = {_CONFIGURATION!r}\n", encoding="utf-8")


def _builtins(table: Path) -> list[tuple[str, str]]:
    return _TABLE.findall(table.read_text(encoding="utf-8"))


def _opened(folder: Path, key: str, runs_here: Path, workspace: Workspace) -> Kit:
    """The kit in ``folder``; ``runs_here`` is the folder of a kit for this machine, whose Python makes the bytecode."""
    about = _about(folder, folder)
    target = target_for(about["platform"])
    (executable,) = (runs_here / "bin").iterdir()
    system, _, architecture = target.platform.partition("/")
    here = describe(executable, workspace)
    stdlib = folder / here.stdlib.relative_to(here.prefix)
    interpreter = replace(
        here,
        prefix=folder,
        stdlib=stdlib,
        dynload=stdlib / "lib-dynload",
        platform=Platform(system, architecture),
        fingerprint=key_of("interpreter of a kit", key),
    )
    return Kit(folder, key, target, interpreter, tuple((name, function) for name, function in about["builtins"]))


def _about(folder: Path, path: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError) as error:
        raise _no_kit(path, str(error)) from error
    if about.get("format") != _FORMAT:
        raise _no_kit(path, f"its format is {about.get('format')}, not {_FORMAT}")
    return about


def _no_kit(path: Path, evidence: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is no kit of this version of cannery", evidence=evidence, step=f"run: {program_name()} kit"
    )
