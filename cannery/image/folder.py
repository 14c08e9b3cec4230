"""A folder on this machine: a tree written out, importable as it stands."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.image.tree import Directory, File, Symlink
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from cannery.image.tree import Tree

__all__ = ["write_folder"]

_MODULES = ("py", "pyc", "so")


def write_folder(tree: Tree, folder: Path) -> None:
    """Write ``tree`` below ``folder``.

    Each file and folder at its top takes the place of what was there under its name, a module that of any form of it:
    an extension module must not stay where bytecode comes. What else lies in ``folder`` does stay.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".cannery-") as name:
            beside, before = Path(name, "new"), Path(name, "old")
            before.mkdir()
            _fill(tree, beside)
            names = {path.name for path in beside.iterdir()}
            modules = {name.partition(".")[0] for name in names}
            for path in list(folder.iterdir()):
                stem, _, suffix = path.name.partition(".")
                if path.name in names or (stem in modules and suffix.endswith(_MODULES)):
                    path.rename(before / path.name)
            for path in list(beside.iterdir()):
                path.rename(folder / path.name)


def _fill(tree: Tree, folder: Path) -> None:
    for path, entry in tree.with_parents():
        target = folder / path[1:]
        if isinstance(entry, Directory):
            target.mkdir(parents=True)
        elif isinstance(entry, Symlink):
            target.symlink_to(entry.target)
        elif isinstance(entry, File):
            target.parent.mkdir(parents=True, exist_ok=True)
            with entry.content.open() as source, target.open("wb") as stream:
                shutil.copyfileobj(source, stream)
            target.chmod(entry.mode)
