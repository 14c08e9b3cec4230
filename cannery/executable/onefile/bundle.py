"""PyInstaller makes a bundle of the app: a folder with the executable, Python and all that it imports; or one file."""

from __future__ import annotations

import json
import os
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import ProjectError
from cannery.executable.onefile.stage import set_stage
from cannery.image.content import OnDisk
from cannery.image.folder import write_tree
from cannery.image.tree import Decision, File, LazyTree, Symlink, Tree
from cannery.workspace.files import stamp
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed
from cannery.workspace.unaltered import is_unaltered, unaltered_folder
from cannery.workspace.use import used

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.executable.onefile.stage import BundleParts, Stage
    from cannery.executable.onefile.tools import Tools
    from cannery.image.tree import Entry, Transform
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["INTERNAL", "Bundle", "bundle"]

INTERNAL: Final = "_internal"  # PyInstaller's name for the folder beside the executable
_BUNDLE: Final = "bundle.spec"
_FILE: Final = "file.spec"
_ENVIRONMENT: Final = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "1",  # sets of strings go into bytecode in the order of their hashes
    "PYTHONNOUSERSITE": "1",
    "PYTHONSAFEPATH": "1",
    "SOURCE_DATE_EPOCH": "1",
    "PYINSTALLER_ZLIB_COMPRESSION_LEVEL": "0",  # xz packs the whole, and packs plain bytecode better
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """The app as PyInstaller bundles it: a folder, or one file."""

    tree: LazyTree  # /NAME, the executable, and the files beside it where it's a folder; decisions on files in either
    modules: Mapping[str, int]  # in the executable, with the bytes of each
    files: Mapping[str, int]  # the other files, with the bytes of each
    missing: tuple[tuple[str, str], ...]  # modules that don't exist, with a module of the app that imports each
    machine: tuple[str, ...] = ()  # the paths on this machine of the files that were taken from it


def bundle(
    parts: BundleParts,
    finish: Transform,
    interpreter: Interpreter,
    tools: Tools,
    workspace: Workspace,
    *,
    one_file: bool = False,
) -> Bundle:
    """The bundle of ``parts``, with ``finish`` applied to every file but the executable.

    It is made once, and again when one of the parts changes, or a shared library of the machine that went in. Raises
    :class:`ProjectError` where PyInstaller can't read the app.
    """
    key = _key(parts, finish, interpreter, tools, one_file=one_file)
    record = _recall(key, workspace)
    if record is None:
        with workspace.cache.lock(f"bundle-{key}", lambda: workspace.progress("waiting for another build")):
            record = _recall(key, workspace) or _make(
                key, parts, finish, interpreter, tools, workspace, one_file=one_file
            )
    folder = workspace.cache.root / "bundles" / record["key"]
    missing = tuple((name, importer) for name, importer in record["missing"])
    decisions = tuple(Decision(*each) for each in record["decisions"])
    return Bundle(
        LazyTree(key_of("bundle", code_key(__name__), record["key"]), lambda: Tree(_tree(folder).entries, decisions)),
        record["modules"],
        record["files"],
        missing,
        tuple(record["machine"]),
    )


def _key(parts: BundleParts, finish: Transform, interpreter: Interpreter, tools: Tools, *, one_file: bool) -> str:
    trees = (parts.code.key, parts.resources.key, parts.wheels.key)
    rest = (
        parts.name,
        repr((parts.main, parts.commands)),
        parts.roots,
        parts.without,
        parts.stand_ins,
        parts.reached,
        parts.left_out,
    )
    options = (parts.data, parts.optimize, one_file)
    return key_of("bundle", code_key(__name__), trees, rest, options, finish.key, interpreter.fingerprint, tools.key)


def _recall(key: str, workspace: Workspace) -> dict[str, Any] | None:
    """The record of a bundle that is whole; None where there is none, or a file that it was made from has changed."""
    record = workspace.cache.recall("bundles", key)
    if record is None or any(stamp(Path(path)) != before for path, before in record["machine"].items()):
        return None
    whole = used(workspace.cache.root / "bundles" / record["key"])
    return record if whole and is_unaltered(workspace.cache, "bundles", record["key"]) else None


def _make(
    key: str,
    parts: BundleParts,
    finish: Transform,
    interpreter: Interpreter,
    tools: Tools,
    workspace: Workspace,
    *,
    one_file: bool,
) -> dict[str, Any]:
    with workspace.cache.scratch() as scratch:
        workspace.progress("freezing: laying out the app")
        stage = set_stage(scratch, parts, interpreter, tools, workspace.run)
        workspace.progress("freezing: PyInstaller reads the app")
        _pyinstaller(stage, _BUNDLE, workspace)
        contents = json.loads((scratch / "contents.json").read_text(encoding="utf-8"))
        result = scratch / "finished"
        finished = _finished(_tree(scratch / "dist" / parts.name), parts.name, finish)
        write_tree(finished, result, link=True)
        if one_file:
            workspace.progress("freezing: PyInstaller packs one file")
            _pyinstaller(stage, _FILE, workspace)
            result = scratch / "one"
        machine = {path: stamp(Path(path)) for path in contents["machine"]}
        made = key_of("bundle", key, machine)
        unaltered_folder(workspace.cache, "bundles", made, lambda folder: _move(result, folder))
        record = {
            "key": made,
            "machine": machine,
            "modules": contents["modules"],
            "files": {path: file.content.size for path, file in finished.files() if path != f"/{parts.name}"},
            "missing": contents["missing"],
            "decisions": [astuple(each) for each in finished.decisions],
        }
    workspace.cache.remember("bundles", key, record)
    return record


def _finished(tree: Tree, name: str, finish: Transform) -> Tree:
    """The executable stays as it is: it carries an archive, which no header tells of."""
    own = tree.filter(lambda path, _: path == f"/{name}")
    return own + (tree.filter(lambda path, _: path != f"/{name}") | finish)


def _move(source: Path, target: Path) -> None:
    for path in source.iterdir():
        path.rename(target / path.name)


def _pyinstaller(stage: Stage, spec: str, workspace: Workspace) -> None:
    command = [str(stage.python), "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
    folder = stage.folder
    place = folder / ("dist" if spec == _BUNDLE else "one")
    command += ["--distpath", str(place), "--workpath", str(folder / "work"), str(folder / spec)]
    env = {**_ENVIRONMENT, "PYINSTALLER_CONFIG_DIR": str(folder / "config"), "TMPDIR": str(folder)}
    try:
        workspace.run(command, cwd=folder, env=env)
    except ProgramFailed as error:
        raise _explained(error, folder) from error


def _explained(error: ProgramFailed, folder: Path) -> ProjectError:
    """PyInstaller's error, less the frames of its traceback and the path of a folder that is gone by now."""
    lines = [line for line in error.stderr.replace(f"{folder}/", "").splitlines() if line.strip()]
    start = max((number for number, line in enumerate(lines) if line.startswith("Traceback")), default=0)
    return ProjectError(
        "PyInstaller can't read the app",
        evidence="\n".join(line for line in lines[start:] if not line.startswith("  "))[-2000:],
        step="correct what it names; where that is a module that the program can do without, leave it out with  "
        "[tool.cannery.onefile]  without",
    )


def _tree(folder: Path) -> Tree:
    entries: dict[str, Entry] = {}
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted([*names, *(each for each in folders if Path(here, each).is_symlink())]):
            path = Path(here, name)
            shown = f"/{path.relative_to(folder).as_posix()}"
            if path.is_symlink():
                entries[shown] = Symlink(str(path.readlink()))
            else:
                status = path.stat()
                entries[shown] = File(OnDisk(path, status.st_size), 0o755 if status.st_mode & 0o100 else 0o644)
    return Tree(entries)
