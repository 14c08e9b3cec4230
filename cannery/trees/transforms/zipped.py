"""Bytecode in a deflated archive instead of a file each, which takes a third of the bytes.

The standard library's archive is ``lib/python311.zip``, where Python looks before ``lib/python3.11``. Dependencies open
files beside their modules, so their archive has a finder of its own: each module says that it lies in a folder.
"""

from __future__ import annotations

import ast
import io
import posixpath
import re
import zipfile
from typing import TYPE_CHECKING

from cannery.image.content import Inline
from cannery.image.tree import Decision, Directory, Entry, File, Transform, Tree
from cannery.workspace.keys import code_key, key_of, package_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.python.interpreter import Interpreter

__all__ = ["FINDER", "with_finder", "zipped_dependencies", "zipped_library"]

FINDER = "_cannery_archive_finder"  # the module of the image that finds the others
_SOURCE = package_file("trees/payload/archive_finder.py")
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that the format has
_LANDMARK = "os.pyc"  # by its name the interpreter finds its prefix; it may be empty
# Frozen into every interpreter, which never loads them from a file.
_ALWAYS_FROZEN = ("importlib/_bootstrap.pyc", "importlib/_bootstrap_external.pyc", "zipimport.pyc")
# Packages put their folder on PYTHONPATH, so that each Python imports these (docs.python.org, site): no finder is asked
_BY_PATH = ("/sitecustomize.pyc", "/usercustomize.pyc")
_OWN_PLACE = re.compile(rb"__file__|__path__")
_LISTS = re.compile(rb"listdir|scandir|iterdir|walk|\br?glob\b")
_ONLY_SOURCES = re.compile(
    rb"\*\.py(?!c)|\x03\.py"
)  # "*.py", or ".py" as marshal writes it: there are none in any image


def zipped_library(interpreter: Interpreter) -> Transform:
    """The transform for the standard library: top-level modules, and packages of nothing but bytecode."""
    folder = interpreter.image_stdlib
    archive = f"{posixpath.dirname(folder)}/{interpreter.name.replace('.', '')}.zip"
    landmark = Tree({f"{folder}/{_LANDMARK}": File(Inline(b""))})

    def apply(tree: Tree) -> Tree:
        tree = tree.filter(lambda path, _: path.removeprefix(f"{folder}/") not in _ALWAYS_FROZEN)
        staying = {top: path for path, entry in tree if (top := _top(path, folder)) and not _is_bytecode(path, entry)}
        whys = {top: f"its package has other files, such as {path}" for top, path in staying.items()}
        packages = {posixpath.basename(interpreter.image_site_packages): ""}  # a folder in the library, and no package
        return _zipped(tree, folder, archive, whys | packages) + landmark

    return Transform(key_of("zipped library", code_key(__name__), folder, archive), apply)


def zipped_dependencies(interpreter: Interpreter, compiled: Transform) -> Transform:
    """The transform for dependencies' sources, of which ``compiled`` makes bytecode.

    Packages that may look for modules in the folder they lie in stay files.
    """
    folder = interpreter.image_site_packages
    archive = f"{folder}/packages.zip"

    def apply(tree: Tree) -> Tree:
        listing = [path for path, file in tree.files() if _lists_own_folder(path, file)]
        whys = {_top(path, folder) or "": f"{path} may look for modules in the folder it lies in" for path in listing}
        return _zipped(compiled(tree), folder, archive, {**whys, f"{FINDER}.pyc": ""})

    return Transform(key_of("zipped dependencies", code_key(__name__), folder, archive, compiled.key), apply)


def with_finder(interpreter: Interpreter) -> Transform:
    """The transform that adds the finder, as a source, and the .pth file by which Python imports it."""
    folder, source = interpreter.image_site_packages, _SOURCE.read_bytes()
    added = Tree(
        {
            f"{folder}/{FINDER}.py": File(Inline(source)),
            # Python reads such files in the order of their names, and others' may import from the archive.
            f"{folder}/00{FINDER}.pth": File(Inline(f"import {FINDER}\n".encode())),
        }
    )
    return Transform(key_of("finder", code_key(__name__), folder), lambda tree: tree + added)


def _zipped(tree: Tree, folder: str, archive: str, staying: Mapping[str, str]) -> Tree:
    """``tree`` with the bytecode below ``folder`` in ``archive``, but for top-level modules and packages ``staying``.

    Their reasons are those of the decisions on them; where it's empty, nobody would have expected anything else.
    """
    bytecode = {path: file for path, file in tree.files() if _top(path, folder) and _is_bytecode(path, file)}
    kept = {path for path in bytecode if path.endswith(_BY_PATH) or _top(path, folder) in staying}
    going = {path: file for path, file in bytecode.items() if path not in kept}
    whole = (path for path in kept if _top(path, folder) in staying)
    decisions = (*tree.decisions, *_decisions(whole, tree, folder, staying))
    if not going:
        return Tree(tree.entries, decisions)
    rest: dict[str, Entry] = {path: entry for path, entry in tree.entries.items() if path not in going}
    packages = {posixpath.dirname(path): Directory() for path in going if posixpath.dirname(path) != folder}
    return Tree({**packages, **rest, archive: File(Inline(_archive(going, folder)))}, decisions)


def _decisions(paths: Iterable[str], tree: Tree, folder: str, staying: Mapping[str, str]) -> Iterator[Decision]:
    """A decision for each module or package that stays files: on its first file, with the bytes of all."""
    sizes: dict[str, int] = {}
    firsts: dict[str, str] = {}
    for path in sorted(paths):
        top, entry = _top(path, folder) or "", tree.entries[path]
        firsts.setdefault(top, path)
        sizes[top] = sizes.get(top, 0) + (entry.content.size if isinstance(entry, File) else 0)
    for top, path in firsts.items():
        if why := staying[top]:
            yield Decision(path, "put bytecode into an archive", why, sizes[top])


def _top(path: str, folder: str) -> str | None:
    """The name below ``folder`` that ``path`` begins with; None for a path elsewhere."""
    return path.removeprefix(f"{folder}/").partition("/")[0] if path.startswith(f"{folder}/") else None


def _is_bytecode(path: str, entry: Entry) -> bool:
    return isinstance(entry, File) and path.endswith(".pyc") and "/__pycache__/" not in path


def _lists_own_folder(path: str, file: File) -> bool:
    """True for a source that asks where it lies and lists folders: it may miss modules that lie in the archive.

    One that looks for sources alone doesn't count: no image has any.
    """
    if not path.endswith(".py"):
        return False
    with file.content.open() as stream:
        source = stream.read()
    if not (_LISTS.search(source) and _OWN_PLACE.search(source)) or _ONLY_SOURCES.search(source):
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return any(isinstance(node, ast.Name) and node.id in {"__file__", "__path__"} for node in ast.walk(tree))


def _archive(files: Mapping[str, File], folder: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, file in sorted(files.items()):
            info = zipfile.ZipInfo(posixpath.relpath(path, folder), _TIME)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            with file.content.open() as stream:
                archive.writestr(info, stream.read(), compresslevel=9)
    return data.getvalue()
