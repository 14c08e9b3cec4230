"""Keys: names for what was made, derived from all that decides about it: the code that makes it, and the code's inputs.

Two builds with equal keys may share what was made. The code takes part by its own text, so that there is no version
number which somebody must remember to raise.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CodeBase", "code_key", "key_of", "package_file"]

_PACKAGE = Path(__file__).parents[1]
_FOR_TYPE_CHECKERS = re.compile(r"\nif TYPE_CHECKING:\n(?:[ \t]+[^\n]*\n|\n)*")
_FILE = re.compile(r'package_file\(\s*"([^"]+)"')
_NAME = re.compile(r"(\w+)(?:\s+as\s+\w+)?")


def key_of(*parts: object) -> str:
    """A name for what is made from ``parts``, 64 digits long: the same for equal parts, in every process."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def code_key(module: str) -> str:
    """A name for the code of ``module`` (``__name__``), which changes as soon as the code may do something else.

    It's derived from the texts of the module, of all modules of cannery that it imports, directly or not, and of the
    files that they name by :func:`package_file`. Imports for type checkers alone don't count.
    """
    return _code_base(_PACKAGE).key(module)


def package_file(path: str) -> Path:
    """The path of a file or folder of the package that isn't imported: a program for another Python, a template, C.

    ``path``, relative to the package, has to be a plain string, as :func:`code_key` reads it from the call's text.
    """
    return _PACKAGE / path


class CodeBase:
    """The files of a package, each read once, with their imports of one another."""

    def __init__(self, package: Path) -> None:
        """``package`` is the package's folder, whose name is the package's."""
        self._package = package
        name = re.escape(package.name)
        self._import = re.compile(rf"\n *from {name}(\.[\w.]+)? import (?:\(([^)]*)\)|([^\n(]*))")
        self._paths = frozenset(_files_below(package))
        self._modules = {_module_path(path): path for path in self._paths if path.endswith(".py")}
        self._digests: dict[str, str] = {}  # by path, relative to the package
        self._uses: dict[str, frozenset[str]] = {}  # a file's path -> the paths of the files that it uses
        self._keys: dict[str, str] = {}

    def key(self, module: str) -> str:
        """A digest of the names and the contents of :meth:`files`."""
        if module not in self._keys:
            self._keys[module] = key_of([(path, self._digests[path]) for path in sorted(self.files(module))])
        return self._keys[module]

    def files(self, module: str) -> set[str]:
        """The paths, relative to the package, of the files that ``module`` uses, directly or not; its own is one."""
        found: set[str] = set()
        pending = [self._path(module.partition(".")[2])]
        while pending:
            path = pending.pop()
            if path not in found:
                found.add(path)
                pending += self._used_by(path)
        return found

    def _used_by(self, path: str) -> frozenset[str]:
        if path not in self._uses:
            data = (self._package / path).read_bytes()
            self._digests[path] = hashlib.sha256(data).hexdigest()
            self._uses[path] = frozenset(self._used_in(data.decode())) if path.endswith(".py") else frozenset()
        return self._uses[path]

    def _used_in(self, text: str) -> Iterator[str]:
        """The paths of the files that the source ``text`` imports of the package, or names by ``package_file``."""
        for module, several, one in self._import.findall(_FOR_TYPE_CHECKERS.sub("\n", f"\n{text}")):
            for name in _NAME.findall(several or one.partition("#")[0]):
                yield self._path(module[1:], name)
        for named in _FILE.findall(text):
            yield from (path for path in self._paths if path == named or path.startswith(f"{named}/"))

    def _path(self, module: str, name: str = "") -> str:
        """The path of the module ``name`` in ``module``, or else of ``module``, which lacks the package's own name."""
        stem = module.replace(".", "/")
        inner = f"{stem}/{name}" if stem else name
        return self._modules.get(inner) or self._modules[stem]


def _module_path(path: str) -> str:
    """``a/b`` for the file of the module ``a.b``, which may be a folder's ``__init__.py``; empty for the package's."""
    return path.removesuffix(".py").removesuffix("__init__").rstrip("/")


def _files_below(folder: Path) -> Iterator[str]:
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        below = path[len(str(folder)) + 1 :]
        yield from (f"{below}/{name}" if below else name for name in names)


_code_base = cache(CodeBase)
