"""A toolbox: this machine's Python in a layer, for images that have no program that gives a prompt.

All of it lies in one folder, so that no file of the image is hidden, and its own loader starts it, so that it needs
nothing of the image.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.containers.explore import TOOLBOX, Toolbox
from cannery.elf.dynamic import read_elf
from cannery.image.content import OnDisk
from cannery.image.tree import File, LazyTree, Transform, Tree
from cannery.python.interpreter import describe
from cannery.python.stdlib import python_path
from cannery.recipes.layers import layer_of
from cannery.trees.runtime import bare_python
from cannery.trees.transforms.bytecode import bytecode
from cannery.trees.transforms.strip import strip
from cannery.workspace.digest import Digest
from cannery.workspace.keys import code_key, key_of, package_file

if TYPE_CHECKING:
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["toolbox"]

_PROMPT: Final = f"{TOOLBOX}/prompt.py"
_LEVEL: Final = 1  # of gzip: it's unpacked at once


def toolbox(workspace: Workspace) -> Toolbox:
    """The toolbox of the Python that runs this, its layer packed now or by an earlier call."""
    python = describe(Path(sys.executable), workspace)
    bare, libraries = bare_python(python, workspace)
    tree = (bare | strip | bytecode(python, workspace) | _moved) + _prompt()
    layer = layer_of("toolbox", tree, workspace, level=_LEVEL).layer
    command = (*_loader(python, libraries), TOOLBOX + python_path(python), "-I", _PROMPT)
    return Toolbox(layer, command, python.platform)


_moved = Transform(
    key_of("into", code_key(__name__), TOOLBOX), lambda tree: Tree({TOOLBOX + path: entry for path, entry in tree})
)


def _prompt() -> LazyTree:
    path = package_file("containers/payload/prompt.py")
    content = OnDisk(path, path.stat().st_size)
    return LazyTree(str(Digest.of_content(content)), lambda: Tree({_PROMPT: File(content)}))


def _loader(python: Interpreter, libraries: tuple[str, ...]) -> tuple[str, ...]:
    """The beginning of a command that starts a program by the toolbox's loader, with its libraries (ld.so(8))."""
    elf = read_elf(OnDisk(python.executable, python.executable.stat().st_size))
    if elf is None or elf.interpreter is None:
        return ()
    return (TOOLBOX + elf.interpreter, "--library-path", ":".join(TOOLBOX + folder for folder in libraries))
