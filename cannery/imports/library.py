"""The analysis as a library: from folders of this machine to what a program in them reaches."""

from __future__ import annotations

import os
import posixpath
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError, did_you_mean
from cannery.image.content import OnDisk
from cannery.image.tree import File, LazyTree, Tree
from cannery.imports.analysis import reach
from cannery.imports.host import host_of
from cannery.imports.places import Place, standard_library
from cannery.python.interpreter import describe
from cannery.workspace.cache import Cache
from cannery.workspace.files import stamp_of
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cannery.imports.graph import Start
    from cannery.imports.model import Reach, Where
    from cannery.python.interpreter import Interpreter

    Folders = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

__all__ = ["analyse"]


def analyse(
    app: Folders,
    *,
    start: str | os.PathLike[str],
    python: str | os.PathLike[str],
    installed: Folders = (),
    include: Sequence[str] = (),
    cache: str | os.PathLike[str] | None = None,
) -> Reach:
    """All that a program reaches: its modules with the reason for each, their data, and what is missing.

    Nothing of the program is run. Paths in the result are absolute paths of this machine.

    :param app: the folder that imports of the program's own modules start from, or several in the order of
        ``sys.path``. All modules in it count as reached, as a program may look into its own folders.
    :param start: what begins: a module (``"package.__main__"``), an entry point (``"package.cli:main"``), or, as a
        ``Path``, a file that is run as a script.
    :param python: the interpreter that the program is for, CPython 3.11 or later for Linux. It's run once, to be asked
        what is inside it and where its standard library lies.
    :param installed: the folder that the program's dependencies lie in (``site-packages``), or several.
    :param include: modules that count as reached besides, and patterns such as ``"package.plugins.*"``.
    :param cache: a folder that remembers what was read, so that the next analysis reads only what has changed; what is
        remembered is gone at the end where there's none.
    :raises ConfigurationError: where there's no such folder, or no such module.
    :raises RuntimeTreeError: where ``python`` is no interpreter that is understood.
    """
    if cache is None:
        with tempfile.TemporaryDirectory(prefix="cannery-imports-") as folder:
            return analyse(app, start=start, python=python, installed=installed, include=include, cache=folder)
    workspace = Workspace(Cache(Path(cache).absolute()))
    interpreter = describe(Path(python), workspace)
    script = None if isinstance(start, str) else _absolute(start)
    places = [_place("app", app), _library_in_place(interpreter), _place("dependencies", installed)]
    starts = _starts(start) if isinstance(start, str) else ()
    called = [(starts[0][0], start.partition(":")[2])] if isinstance(start, str) else []
    host = host_of(interpreter, workspace)
    found = reach(places, starts, host, workspace, script=script, called=called, include=include)
    _check_start(found, starts, script, places[0])
    return found


def _starts(start: str) -> tuple[Start, ...]:
    module = start.partition(":")[0]
    return ((module, "started"), *((("runpy", "started"),) if module.endswith("__main__") else ()))


def _check_start(found: Reach, starts: tuple[Start, ...], script: str | None, app: Place) -> None:
    if script is not None and script not in app.tree.tree:
        raise ConfigurationError(
            f"there is no script {script} in the app",
            evidence=f"looked in {', '.join(app.roots)}",
            step="correct start",
        )
    for name, _ in starts:
        if name not in found.modules:
            known = [*found.modules, *found.left_out, *found.broken]
            raise ConfigurationError(
                f"there is no module {name} to start with", evidence=did_you_mean(name, known), step="correct start"
            )


def _place(kind: Where, folders: Folders) -> Place:
    """The modules and the data in folders, each file by its own path."""
    several = [folders] if isinstance(folders, str | os.PathLike) else folders
    roots = tuple(map(_absolute, several))
    files = {path: Path(path).stat() for root in roots for path in _files(root)}
    key = key_of("folders", code_key(__name__), roots, [(path, stamp_of(files[path])) for path in sorted(files)])
    tree = Tree({path: File(OnDisk(Path(path), status.st_size)) for path, status in files.items()})
    return Place(kind, LazyTree(key, lambda: tree), roots)


def _files(root: str) -> Iterator[str]:
    """The files below a folder, links to folders followed; hidden folders at the top hold no modules."""
    if not Path(root).is_dir():
        raise ConfigurationError(f"there is no folder {root}", step="name one that modules lie in")
    seen: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = posixpath.realpath(folder)
        folders[:] = [name for name in folders if name != "__pycache__" and not (folder == root and name[0] == ".")]
        if real in seen:
            folders[:] = []
            continue
        seen.add(real)
        yield from filter(posixpath.isfile, (f"{folder}/{name}" for name in names))


def _library_in_place(python: Interpreter) -> Place:
    """The standard library, each file by its own path rather than by that in an image."""
    library = standard_library(python)
    moves = {python.image_stdlib: str(python.stdlib)}
    if python.dynload is not None:
        moves = {f"{python.image_stdlib}/lib-dynload": str(python.dynload), **moves}

    def moved(path: str) -> str:
        before = next((each for each in moves if path == each or path.startswith(f"{each}/")), "")
        return moves.get(before, "") + path[len(before) :]

    def make() -> Tree:
        return Tree({moved(path): entry for path, entry in library.tree.tree.entries.items()})

    tree = LazyTree(key_of("in place", code_key(__name__), library.tree.key), make)
    return Place("stdlib", tree, tuple(map(moved, library.roots)))


def _absolute(path: str | os.PathLike[str]) -> str:
    return posixpath.abspath(path)
