"""What of a distribution's packages is in an image, told where scanners look for it.

That is a file for each package in ``/var/lib/dpkg/status.d``, as distroless images have it: dpkg's own status is one
file, which no layer could add to.
"""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Final

from cannery.image.content import Inline, OnDisk
from cannery.image.tree import File, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.python.interpreter import Interpreter

__all__ = ["package_database"]

_FOLDER: Final = "/var/lib/dpkg/status.d"
_RELEASE: Final = "/usr/lib/os-release"  # by which scanners know whose versions these are (os-release(5))
_LINK: Final = "/etc/os-release"


def package_database(interpreter: Interpreter, tree: Tree) -> Tree:
    """The entries of the packages that ``tree`` has files of; empty where the Python doesn't come from packages."""
    if interpreter.packages is None:
        return Tree()
    known: Mapping[str, Mapping[str, str]] = json.loads(interpreter.packages.read_bytes())
    owners = {posixpath.normpath(path): name for name, each in known.items() for path in each["files"]}
    used = sorted({owners[path] for path in _paths(interpreter, tree) if path in owners})
    entries = {f"{_FOLDER}/{name}": File(Inline(_stanza(known[name]).encode())) for name in used}
    release = interpreter.root.content(_RELEASE)
    return Tree({**entries, _LINK: File(release)} if release else entries)


def _paths(interpreter: Interpreter, tree: Tree) -> Iterable[str]:
    """The paths in the interpreter's root of the files that lie in ``tree``, wherever they lie there."""
    top = interpreter.root.path
    for _, file in tree.files():
        if isinstance(file.content, OnDisk) and file.content.path.is_relative_to(top):
            yield interpreter.inside(file.content.path)


def _stanza(fields: Mapping[str, str]) -> str:
    """A paragraph of dpkg's database, of what scanners read of it (deb-control(5))."""
    return "".join(f"{name}: {fields[key]}\n" for name, key in _FIELDS) + "\n"


_FIELDS: Final = (("Package", "name"), ("Version", "version"), ("Architecture", "architecture"), ("Source", "source"))
