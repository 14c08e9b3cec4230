"""A kit: a static Python and all that an executable is linked from, for one version and one platform."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cannery.elf.components import Component
from cannery.errors import ConfigurationError, RuntimeTreeError, ToolError
from cannery.executable.kit.cpython import NEEDED, cpython
from cannery.executable.kit.file import KIT_FORMAT, PYTHONS_OWN, AboutKit, about_kit, no_kit, unpacked_kit, write_about
from cannery.executable.kit.libraries import library
from cannery.executable.kit.sources import known_libraries, known_pythons, untried_pythons
from cannery.executable.kit.toolchain import native_target, target_for, toolchain
from cannery.image.platform import Platform
from cannery.python.interpreter import describe
from cannery.workspace.files import explained
from cannery.workspace.invocation import program_name
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.unaltered import unaltered_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cannery.executable.kit.toolchain import BuildTarget
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["Kit", "built_kit", "components_of", "file_name", "given_kit", "kit_python", "write_configuration"]

# The variables of sysconfig that programs ask for where nothing is built. The others name the machine of the build.
_CONFIGURATION = {
    "EXT_SUFFIX": ".so",
    "Py_DEBUG": 0,
    "Py_ENABLE_SHARED": 0,
    "SOABI": "",
    "TZPATH": "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo",
}
_LIBRARIES = (*NEEDED, "zstd", "musl")
_TABLE = re.compile(r'^\s*\{"(\w+)", (PyInit_\w+|_?Py\w+)\},', re.MULTILINE)  # of Modules/config.c


@dataclass(frozen=True, slots=True)
class Kit:
    """An unpacked kit, and the Python that compiles for it."""

    folder: Path
    key: str  # another one for other contents
    target: BuildTarget
    interpreter: Interpreter  # runs here, and has the kit's own standard library
    builtins: tuple[tuple[str, str], ...]  # the modules inside Python, with their PyInit functions
    components: tuple[Component, ...] = ()  # what it's built from

    @property
    def include(self) -> Path:
        """The folder of the headers."""
        return self.folder / "include"

    @property
    def linker(self) -> Path:
        """The folder of the source of musl's dynamic linker, which kits of earlier versions of cannery lack."""
        return self.include / "musl"

    @property
    def libraries(self) -> tuple[Path, ...]:
        """The static libraries, Python's own first."""
        found = sorted(
            (self.folder / "lib").glob("*.a"), key=lambda path: (not path.name.startswith("libpython"), path)
        )
        return tuple(found)


def built_kit(platform: Platform | str, minor: str, workspace: Workspace) -> Kit:
    """The kit of Python ``minor`` for ``platform``, built from its sources unless the cache has it.

    Raises :class:`ConfigurationError` for a platform that there are no kits for, :class:`ToolError` where it can't be
    built.
    """
    target = target_for(platform)
    tools = toolchain(target, workspace)
    python = cpython(tools, minor)
    libraries = [library(name, tools) for name in _LIBRARIES]
    key = key_of("kit", code_key(__name__), python.name, [folder.name for folder in libraries])
    fill = partial(_assemble, python, libraries, target, components_of(minor, tools.musl))
    folder = unaltered_folder(workspace.cache, "kits", key, fill, without=PYTHONS_OWN)
    runs_here = folder if target == native_target() else built_kit(native_target().platform, minor, workspace).folder
    return _opened(folder, key, runs_here, workspace)


def kit_python(wanted: str | None = None) -> str:
    """The minor version of Python in kits that are built here: the newest, or the one that ``wanted`` names.

    Raises :class:`ConfigurationError` where there is none: the launcher uses what is inside of Python, so that a
    version counts once its kit was built and tested.
    """
    known = known_pythons()
    if wanted is None:
        return list(known)[-1]
    fitting = [minor for minor, source in known.items() if f"{source.version}.".startswith(f"{wanted}.")]
    if fitting:
        return fitting[-1]
    untried = untried_pythons().get(".".join(wanted.split(".")[:2]))
    raise ConfigurationError(
        f"cannery builds no kit of Python {wanted}",
        evidence=f"none was built and tested: {untried}" if untried else f"it has the sources of {_versions()}",
        step=f'take a kit of {" or ".join(known)}:  [tool.cannery]  python = "{list(known)[-1]}"; '
        "the recipes tiny, scratch and onefile pack any Python from 3.11 on",
    )


def _versions() -> str:
    return ", ".join(source.version for source in known_pythons().values())


def components_of(minor: str, musl: str) -> tuple[Component, ...]:
    """What a kit of Python ``minor`` is built from, with the version ``musl`` of the C library."""
    sources = {"Python": known_pythons()[minor], **known_libraries()}
    del sources["musl"]  # the C library itself is zig's
    names = {"openssl": "OpenSSL", "sqlite": "SQLite"}
    listed = (Component(names.get(name, name), each.full_version, str(each.changed)) for name, each in sources.items())
    return (*listed, Component("musl", musl))


def given_kit(
    path: Path,
    platform: Platform | str,
    workspace: Workspace,
    sha256: str | None = None,
    fitness: Callable[[str], int] = lambda _: 0,
) -> Kit:
    """The kit in the file ``path``, or the one for ``platform`` in the folder ``path``, by its usual name.

    Of several in a folder it's the newest of those whose version has the greatest ``fitness``. Raises
    :class:`ConfigurationError` where there is no kit, only one for another platform, or one whose file has another
    SHA-256 than the one given.
    """
    if sha256 is not None and path.is_dir():
        raise ConfigurationError(f"{path} is a folder, which has no SHA-256", step="name a kit's file, or leave it out")
    file = _in_folder(path, platform, fitness) if path.is_dir() else path
    folder, key = unpacked_kit(file, workspace, sha256)
    about = about_kit(folder, file)
    if about.platform != str(platform):
        raise ConfigurationError(
            f"{file} is a kit for {about.platform}, and the image is for {platform}",
            step=f"take one for {platform}: {program_name()} kit --platform {platform}",
        )
    native = native_target().platform
    if str(platform) == native:
        return _opened(folder, key, folder, workspace, file)
    if path.is_dir():
        same = _in_folder(path, native, lambda version: int(version == _version_in(file)))
        return _opened(folder, key, unpacked_kit(same, workspace)[0], workspace, file)
    return _opened(folder, key, built_kit(native, _minor_in(folder, file), workspace).folder, workspace, file)


def file_name(kit: Kit) -> str:
    """The usual name of the kit's file: ``python-3.11.2-linux-amd64.kit``."""
    return f"python-{kit.interpreter.version_text}-{kit.target.platform.replace('/', '-')}.kit"


def _in_folder(folder: Path, platform: Platform | str, fitness: Callable[[str], int]) -> Path:
    with explained(folder, "read"):
        found = sorted(folder.glob("*.kit"))
    named = [path for path in found if path.stem.endswith(f"-{str(platform).replace('/', '-')}")]
    if not named:
        raise ConfigurationError(
            f"there is no kit for {platform} in {folder}",
            evidence="\n".join(path.name for path in found),
            step=f"make one: {program_name()} kit --platform {platform}, and keep its name",
        )
    return max(named, key=lambda path: (fitness(_version_in(path)), *_numbers(_version_in(path))))


def _version_in(path: Path) -> str:
    """The version in the usual name of a kit's file."""
    return path.name.removeprefix("python-").partition("-")[0]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _minor_in(folder: Path, file: Path) -> str:
    """The minor version of the Python in an unpacked kit: ``3.13``."""
    with explained(folder, "read"):
        found = [path.name.removeprefix("python") for path in (folder / "lib").glob("python3.*")]
    if len(found) != 1:
        raise no_kit(file, f"it has {len(found)} standard libraries")
    return kit_python(found[0])


def _assemble(
    python: Path, libraries: list[Path], target: BuildTarget, components: tuple[Component, ...], folder: Path
) -> None:
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
    write_about(folder, AboutKit(KIT_FORMAT, target.platform, _builtins(folder / "config.c"), components))
    (folder / "config.c").unlink()


def write_configuration(folder: Path, target: BuildTarget) -> None:
    """Add ``_sysconfigdata__linux_*``, the module that sysconfig reads, to the standard library below ``folder``."""
    (stdlib,) = (folder / "lib").glob("python3*")
    data = stdlib / f"_sysconfigdata__linux_{target.triple}.py"
    data.write_text(f"build_time_vars = {_CONFIGURATION!r}\n", encoding="utf-8")


def _builtins(table: Path) -> tuple[tuple[str, str], ...]:
    return tuple(_TABLE.findall(table.read_text(encoding="utf-8")))


def _opened(folder: Path, key: str, runs_here: Path, workspace: Workspace, file: Path | None = None) -> Kit:
    """The kit in ``folder``; ``runs_here`` is the folder of a kit for this machine, whose Python makes the bytecode.

    Raises :class:`ConfigurationError` where the kit's ``file`` lacks what a kit has.
    """
    about = about_kit(folder, file or folder)
    target = target_for(about.platform)
    try:
        (executable,) = (runs_here / "bin").iterdir()
        here = describe(executable, workspace)
        stdlib = folder / here.stdlib.relative_to(here.prefix)
    except (ValueError, OSError, RuntimeTreeError, ToolError) as error:
        raise no_kit(file or folder, f"its Python doesn't run: {error}") from error
    system, _, architecture = target.platform.partition("/")
    interpreter = replace(
        here,
        prefix=folder,
        stdlib=stdlib,
        dynload=stdlib / "lib-dynload",
        platform=Platform(system, architecture),
        fingerprint=key_of("interpreter of a kit", key),
    )
    return Kit(folder, key, target, interpreter, about.builtins, about.components)
