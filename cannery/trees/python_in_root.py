"""A Python in a root filesystem, described without running it; another one with the same bytecode runs in its place."""

from __future__ import annotations

import json
import posixpath
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.elf.dynamic import read_elf
from cannery.errors import RuntimeTreeError
from cannery.image.content import OnDisk
from cannery.python.interpreter import Interpreter, RunningPython, same_minor
from cannery.trees.base.python import find_python, target_of
from cannery.workspace.files import stamp
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.unaltered import unaltered_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from cannery.image.platform import Platform
    from cannery.image.rootfs import Root
    from cannery.python.distribution.root import PackagedPython
    from cannery.workspace.workspace import Workspace

__all__ = ["PythonRoot", "interpreter_in", "launched"]

_QUESTION: Final = """
import importlib.util, json, platform, sys
print(json.dumps({
    "version_text": platform.python_version(), "cache_tag": sys.implementation.cache_tag,
    "magic": importlib.util.MAGIC_NUMBER.hex(),
}))
"""


@dataclass(frozen=True, slots=True)
class PythonRoot:
    """A root filesystem with a Python in it."""

    root: Root
    folders: tuple[str, ...]  # that programs are looked for in, before the usual ones
    platform: Platform
    name: str  # for messages: "the runtime debian:trixie"
    key: str  # changes when the root does
    packages: Path | None = None  # a file that tells which package each file is of


def interpreter_in(where: PythonRoot, workspace: Workspace, itself: Callable[[], Path] | None = None) -> Interpreter:
    """The Python in ``where``, as it's packed: below ``/usr/local``, wherever it lies there.

    A Python runs in its place, to make bytecode: the same one, which ``itself`` returns where it can be had for this
    machine, or one of this machine of the same minor version. Raises :class:`RuntimeTreeError` where there is no
    Python in the root, or none that can run for it.
    """
    found = find_python(where.root, where.folders, where.name)
    here = _running(itself() if itself else same_minor(found.version, workspace).executable, workspace)
    name = posixpath.basename(found.path)
    program = where.root.on_disk(found.path)
    stdlib = where.root.on_disk(found.standard_library)
    dynload = stdlib / "lib-dynload"
    image_stdlib = f"/usr/local/lib/{name}"
    return Interpreter(
        executable=program,
        version=_whole(found.version),
        prefix=Path(posixpath.dirname(posixpath.dirname(found.path))),
        stdlib=stdlib,
        dynload=dynload if dynload.is_dir() else None,
        image_stdlib=image_stdlib,
        image_site_packages=f"{image_stdlib}/{posixpath.basename(found.site_packages)}",
        cache_tag=here.cache_tag,
        magic=here.magic,
        platform=where.platform,
        fingerprint=key_of("python in root", where.key, found.path),
        root=where.root,
        here=here,
        wheel_options=target_of(found, where.platform, where.name).options,
        packages=where.packages,
        libc=(found.libc, found.libc_version),
    )


def _whole(version: tuple[int, ...]) -> tuple[int, int, int]:
    """A version of three parts; a patch that can't be told is taken for the first."""
    major, minor, patch = (*version, 0)[:3]
    return major, minor, patch


def _running(python: Path, workspace: Workspace) -> RunningPython:
    key = key_of("running", code_key(__name__), str(python), stamp(python))
    answers = workspace.cache.recall("interpreters", key)
    if answers is None:
        answers = json.loads(workspace.run([str(python), "-I", "-c", _QUESTION]).stdout)
        workspace.cache.remember("interpreters", key, answers)
    return RunningPython(python, **answers)


def launched(packaged: PackagedPython, workspace: Workspace) -> Path:
    """A script that runs a Python of this machine's platform where it was unpacked, with its own loader and libraries.

    Nothing of it need be installed here (ld.so(8), running a program by the loader).
    """
    root = packaged.root
    program = root.on_disk(packaged.program)
    elf = read_elf(OnDisk(program, program.stat().st_size))
    loader = root.resolve(elf.interpreter) if elf and elf.interpreter else None
    if loader is None:
        raise RuntimeTreeError(f"{packaged.program} of the packages has no loader, so it can't be run where it lies")
    folders = sorted(
        {str(path.parent) for each in ("lib", "usr/lib") for path in root.path.glob(f"{each}/*/libc.so.6")}
    )

    def fill(folder: Path) -> None:
        command = [
            str(root.on_disk(loader)),
            "--library-path",
            ":".join(folders),
            "--argv0",
            str(program),
            str(program),
        ]
        script = folder / packaged.chosen.python
        script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
        script.chmod(0o755)

    key = key_of("launched", code_key(__name__), packaged.key, str(program))
    return unaltered_folder(workspace.cache, "launched-pythons", key, fill) / packaged.chosen.python
