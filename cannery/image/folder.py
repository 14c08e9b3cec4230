"""Trees written to this machine: into a new folder, into one that holds other things, or in place of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.image.content import OnDisk
from cannery.image.tree import File, Symlink
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.tree import Entry, Tree

__all__ = ["merge_tree", "replace_folder", "set_aside", "write_tree"]

_MODULES: Final = ("py", "pyc", "so")  # how the files of one module may end
_CHUNK: Final = 1 << 20  # bytes that are copied at a time


def write_tree(tree: Tree, folder: Path, *, below: str = "/", link: bool = False) -> None:
    """Write all of ``tree`` that lies below the path ``below`` into ``folder``, which has none of its files yet.

    Files get their modes; folders get the one that the umask leaves. With ``link``, files on disk are not copied but
    hard-linked where that is possible: nobody may write to them then. Raises :class:`ImageError` for a tree with a path
    below a file or a link.
    """
    prefix = f"{below.rstrip('/')}/"
    folder.mkdir(parents=True, exist_ok=True)
    for path, entry in tree.with_parents():
        if path.startswith(prefix):
            _write(entry, folder / path.removeprefix(prefix), link=link)


def merge_tree(tree: Tree, folder: Path) -> None:
    """Write ``tree`` into ``folder``, and leave what else is in there.

    A file or folder at the tree's top replaces the one of its name, and a module each form of that module: an extension
    module that stayed would be imported in place of new bytecode.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".cannery-") as name:
            beside, before = Path(name, "new"), Path(name, "old")
            before.mkdir()
            write_tree(tree, beside)
            names = {path.name for path in beside.iterdir()}
            modules = {name.partition(".")[0] for name in names}
            for path in list(folder.iterdir()):
                stem, _, suffix = path.name.partition(".")
                if path.name in names or (stem in modules and suffix.endswith(_MODULES)):
                    path.rename(before / path.name)
            for path in list(beside.iterdir()):
                path.rename(folder / path.name)


def replace_folder(tree: Tree, path: Path) -> None:
    """Put ``tree`` in place of whatever is at ``path``: it is written beside it, and renamed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_tree(tree, beside)
            with set_aside(path):
                beside.rename(path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def set_aside(path: Path) -> Iterator[None]:
    """Move what is at ``path``, if anything, out of the way; when the block fails it comes back, else it's removed."""
    before = path.with_name(f".{path.name}.{os.getpid()}.before")
    if not os.path.lexists(path):
        yield
        return
    path.rename(before)
    try:
        yield
    except BaseException:
        before.rename(path)
        raise
    if before.is_dir() and not before.is_symlink():
        shutil.rmtree(before, ignore_errors=True)
    else:
        before.unlink()


def _write(entry: Entry, target: Path, *, link: bool) -> None:
    match entry:
        case File(content=OnDisk(path=source)) if link:
            _link(source, target)
        case File(content=content, mode=mode):
            with content.open() as stream, target.open("wb") as copy:
                shutil.copyfileobj(stream, copy, _CHUNK)
            target.chmod(mode)
        case Symlink(to):
            target.symlink_to(to)
        case _:
            target.mkdir(exist_ok=True)


def _link(source: Path, target: Path) -> None:
    """Another name for a file, or a copy where the file systems differ, or the file is somebody else's."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
