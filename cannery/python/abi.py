"""The ABI of a Python: the headers that extension modules are compiled with, and the names of their files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import RuntimeTreeError
from cannery.workspace.files import stamp
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["Abi", "abi_of"]

_QUESTIONS = """
import json, sysconfig
folders = [sysconfig.get_path("include"), sysconfig.get_path("platinclude"), sysconfig.get_config_var("INCLUDEPY")]
print(json.dumps({
    "include": list(dict.fromkeys(folders)), "multiarch": sysconfig.get_config_var("MULTIARCH") or "",
    "suffix": sysconfig.get_config_var("EXT_SUFFIX"),
}))
"""
_SUFFIX = re.compile(r"(\.cpython-\d+t?d?)-.+(\.so)")


@dataclass(frozen=True, slots=True)
class Abi:
    """Headers, and a suffix of files."""

    include: Path  # the folder of Python.h
    configuration: Path  # the folder of pyconfig.h, of which Debian has one for each architecture
    suffix: str  # of extension modules: .cpython-311-x86_64-linux-gnu.so (PEP 3149)
    key: str  # changes when the headers do

    def for_target(self, target: str) -> Abi:
        """The ABI for another platform, ``aarch64-linux-gnu.2.17`` as Zig calls it; headers hardly differ."""
        triplet = target.partition(".")[0]
        return replace(self, suffix=_SUFFIX.sub(rf"\1-{triplet}\2", self.suffix))


def abi_of(interpreter: Interpreter, workspace: Workspace) -> Abi:
    """The ABI of ``interpreter``; raises :class:`RuntimeTreeError` where its headers aren't installed."""
    key = key_of("abi", code_key(__name__), interpreter.fingerprint)
    answers = workspace.cache.recall("abis", key)
    if answers is None:
        answers = json.loads(workspace.run([str(interpreter.executable), "-I", "-c", _QUESTIONS]).stdout)
        workspace.cache.remember("abis", key, answers)
    folders = [Path(folder) for folder in answers["include"]]
    include = next((folder for folder in folders if (folder / "Python.h").is_file()), None)
    if include is None:
        raise _no_headers(interpreter, folders)
    headers = key_of(interpreter.version, stamp(include / "patchlevel.h"))
    multiarch = include.parent / answers["multiarch"] / include.name
    return Abi(include, multiarch if multiarch.is_dir() else include, answers["suffix"], headers)


def _no_headers(interpreter: Interpreter, folders: list[Path]) -> RuntimeTreeError:
    minor = ".".join(map(str, interpreter.version[:2]))
    return RuntimeTreeError(
        f"the headers of Python {interpreter.version_text} are not here, and no C compiler does without them",
        evidence=f"there is no Python.h in {', '.join(map(str, folders))}",
        step=f"install them (apt-get install python{minor}-dev, or dnf install python{minor}-devel), or take a Python "
        f'that brings them ("uv python install {minor}") and name it:  [tool.cannery]  python',
    )
