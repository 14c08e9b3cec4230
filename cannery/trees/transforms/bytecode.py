"""Sources become bytecode: ``x.py`` is replaced by ``x.pyc``, which imports load with no source at all (PEP 3147).

The ``.pyc`` files are hash-based and unchecked (PEP 552), so that fixed file times don't make them stale, and name
the source by its path in the image, so that they are the same wherever the project lies.
"""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from cannery.errors import MachineError, ProjectError
from cannery.image.content import OnDisk
from cannery.image.tree import Decision, Entry, File, Symlink, Transform, Tree
from cannery.project.modules import imported_as, named_by
from cannery.trees.transforms.read_sources import named_sources
from cannery.workspace.digest import Digest
from cannery.workspace.files import advice, changed, explained
from cannery.workspace.kept import keep, kept_file
from cannery.workspace.keys import code_key, key_of, package_file
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cannery.python.interpreter import Interpreter
    from cannery.workspace.kept import KeptFile
    from cannery.workspace.workspace import Workspace

__all__ = ["SourceBytecode", "bytecode", "compile_sources"]

_WORKER = package_file("trees/workers/compile_bytecode.py")
_HEADER = 16  # bytes (PEP 552)
_NO_POSITIONS = ("-X", "no_debug_ranges")
_LONGEST_NAME = 255  # bytes, on most file systems


@dataclass(frozen=True, slots=True)
class SourceBytecode:
    """The bytecode of sources, by their paths."""

    files: Mapping[str, File] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)  # sources that are no Python, with the complaints
    longer: Mapping[str, str] = field(default_factory=dict)  # sources whose bytecode can't be shortened, and why

    def __add__(self, other: SourceBytecode) -> SourceBytecode:
        return SourceBytecode(
            {**self.files, **other.files}, {**self.refused, **other.refused}, {**self.longer, **other.longer}
        )


def bytecode(
    interpreter: Interpreter,
    workspace: Workspace,
    *,
    optimize: int = 0,
    keep_sources: tuple[str, ...] = (),
    drop_sources: tuple[str, ...] = (),
    import_roots: tuple[str, ...] = (),
    scripts: frozenset[str] = frozenset(),
    read: frozenset[str] = frozenset(),
    strict: bool = False,
    positions: bool = True,
) -> Transform:
    """The transform for ``interpreter``; ``optimize`` counts as ``python -O`` does.

    Without ``positions``, bytecode that lies beside no source says of an instruction on which line it is and no more:
    tracebacks show where in a line something happened only beneath the line itself (PEP 657).
    The modules and packages that ``keep_sources`` names keep their sources beside the bytecode, and so does a file that
    another one names or that is ``read``, but for the interpreter's own and ``drop_sources``; ``import_roots`` are the
    folders of the image that their names start from, beside those of the interpreter. The ``scripts`` are run by the
    path of their bytecode, which tracebacks show for them where no source lies beside it: programs look for files
    beside that of a caller, and for a caller that has one. A file that is no Python stays as it is, or raises
    :class:`ProjectError` when ``strict``.
    """
    roots = (*import_roots, interpreter.image_site_packages, interpreter.image_stdlib)
    key = key_of(
        "bytecode", code_key(__name__), interpreter.cache_tag, interpreter.compiler, optimize, keep_sources, roots,
        strict, sorted(scripts), sorted(read), drop_sources,
    )  # fmt: skip
    key = key if positions else key_of(key, "no positions")

    def apply(tree: Tree) -> Tree:
        sources = {path: file for path, file in tree.files() if path.endswith(".py")}
        named = named_sources({path: file for path, file in sources.items() if not interpreter.owns(path)})
        named |= read & sources.keys()
        named -= {path for path in named if named_by(imported_as(path, roots), drop_sources)}
        kept = named | {path for path in sources if named_by(imported_as(path, roots), keep_sources)}
        made = SourceBytecode()
        names = {path: _sourceless(path) for path in scripts - kept}
        for shown in (True, False) if kept and not positions else (positions,):
            some = {path: file for path, file in sources.items() if positions or (path in kept) == shown}
            made += compile_sources(some, interpreter, workspace, optimize=optimize, positions=shown, names=names)
        no_python = f"is no Python {interpreter.version_text}"
        if made.refused and strict:
            path, message = next(iter(made.refused.items()))
            step = "correct it, or leave it out with  [tool.cannery]  exclude"
            raise ProjectError(f"{path} {no_python}", evidence=message, step=step)
        kept &= made.files.keys()
        decisions = (
            *(_decision(path, f"it {no_python}: {why}", sources[path]) for path, why in made.refused.items()),
            *(_decision(_sourceless(path), why, made.files[path], "shorten") for path, why in made.longer.items()),
            *(_decision(path, "something names it, and may read it", sources[path], "drop") for path in sorted(named)),
        )
        beside = partial(_cached, interpreter=interpreter, optimize=optimize)
        run = {_sourceless(path): made.files[path] for path in kept & scripts}
        return Tree({**_replaced(tree, made.files, kept, beside), **run}, decisions)

    return Transform(key, apply)


def _decision(path: str, why: str, file: File, tried: str = "make bytecode") -> Decision:
    return Decision(path, tried, why, file.content.size)


def _replaced(tree: Tree, made: Mapping[str, File], kept: set[str], beside: Callable[[str], str]) -> dict[str, Entry]:
    """The entries of ``tree`` with bytecode in place of sources, or ``beside`` those that are ``kept``."""
    entries: dict[str, Entry] = {}
    for path, entry in tree:
        if path in kept:
            entries[path] = entry
            entries[beside(path)] = made[path]
        elif path in made:
            entries[_sourceless(path)] = made[path]
        elif isinstance(entry, Symlink) and _target(path, entry) in made.keys() - kept:
            entries[f"{path}c" if path.endswith(".py") else path] = Symlink(f"{entry.target}c")
        else:
            entries[path] = entry
    return entries


def _sourceless(path: str) -> str:
    """Where bytecode lies that is loaded with no source at all."""
    if len(os.fsencode(posixpath.basename(path))) >= _LONGEST_NAME:
        raise ProjectError(
            f"the name of {path} is too long: that of its bytecode has one letter more, and no file system takes that",
            step="choose a shorter name, or leave it out with  [tool.cannery]  exclude",
        )
    return f"{path}c"


def _cached(path: str, interpreter: Interpreter, optimize: int) -> str:
    """Where bytecode lies beside its source (PEP 3147)."""
    folder, name = posixpath.split(path)
    suffix = f"{interpreter.cache_tag}{f'.opt-{optimize}' if optimize else ''}.pyc"
    return f"{folder}/__pycache__/{name.removesuffix('.py')}.{suffix}"


def _target(path: str, link: Symlink) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), link.target))


def compile_sources(
    sources: Mapping[str, File],
    interpreter: Interpreter,
    workspace: Workspace,
    *,
    optimize: int = 0,
    positions: bool = True,
    names: Mapping[str, str] = MappingProxyType({}),
) -> SourceBytecode:
    """The bytecode of ``sources``, from the cache or made now; tracebacks show their paths, or their ``names`` instead.

    Without ``positions`` bytecode is shortened: a line table says no more than lines, instructions of one line share an
    entry of it, and no object is set apart that nothing refers to.
    """
    home = workspace.cache.root / "bytecode"
    digests = {path: _digest(path, file) for path, file in sources.items()}
    code = code_key(__name__)
    links: dict[str, Path] = {}
    for path in sources:
        name = names.get(path, path)
        key = key_of(code, digests[path], name, interpreter.cache_tag, interpreter.compiler, optimize, positions)
        links[path] = home / key[:2] / key
    made = {path: kept for path, link in links.items() if (kept := kept_file(link)) is not None}
    missing = [(path, links[path], file) for path, file in sources.items() if path not in made]
    compiled = _Compiled()
    if missing:
        compiled = _compile(missing, names, interpreter, workspace, optimize=optimize, positions=positions)
    for path, link, file in missing:
        if Digest.of_content(file.content) != digests[path]:
            link.unlink(missing_ok=True)
            raise changed(path, _place(file))
    made |= compiled.kept
    longer: dict[str, str] = {}
    files: dict[str, File] = {}
    for path, kept in made.items():
        shown, why = (kept, "") if positions else _shortened(kept, links[path], workspace)
        longer |= {path: why} if why else {}
        files[path] = File(OnDisk(*shown), sources[path].mode & ~0o111)
    return SourceBytecode(files, compiled.refused, longer)


def _shortened(kept: KeptFile, link: Path, workspace: Workspace) -> tuple[KeptFile, str]:
    """The same bytecode as in ``kept``, shortened, beside ``link``; where that can't be, ``kept`` itself, and why."""
    from cannery.python.line_table import with_few_lines  # noqa: PLC0415  # for recipes without positions alone
    from cannery.python.marshal import UnknownFormatError, joined, tokens_of, with_few_references  # noqa: PLC0415

    other = link.with_name(f"{link.name}.smaller")
    if (known := kept_file(other)) is not None:
        return known, ""
    data = kept.path.read_bytes()
    try:
        code = joined(with_few_lines(with_few_references(tokens_of(data[_HEADER:]))))
    except UnknownFormatError as error:  # of a Python that is newer than this
        return kept, f"its bytecode is of no known form: {error}"
    smaller = data[:_HEADER] + code
    with workspace.cache.scratch() as folder:
        (folder / "smaller").write_bytes(smaller)
        return keep(folder / "smaller", other, Digest.of(smaller)), ""


def _digest(path: str, file: File) -> Digest:
    digest = Digest.of_content(file.content)
    if isinstance(file.content, OnDisk) and file.content.digest not in {None, digest}:
        raise changed(path, file.content.path)
    return digest


def _place(file: File) -> Path | None:
    return file.content.path if isinstance(file.content, OnDisk) else None


@dataclass(frozen=True, slots=True)
class _Compiled:
    """What came of modules, by their paths."""

    kept: Mapping[str, KeptFile] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)  # with the complaints


def _compile(
    jobs: list[tuple[str, Path, File]],
    names: Mapping[str, str],
    interpreter: Interpreter,
    workspace: Workspace,
    *,
    optimize: int,
    positions: bool,
) -> _Compiled:
    """Let the interpreter compile what is missing."""
    workspace.progress("compiling 1 module" if len(jobs) == 1 else f"compiling {len(jobs)} modules")
    with workspace.cache.scratch() as folder:
        words: list[str] = []
        for number, (path, _, file) in enumerate(jobs):
            target = str(folder / f"made-{number}.pyc")  # the worker has files of its own there, named by process IDs
            words += [str(_on_disk(file, folder / f"{number}.py")), target, names.get(path, path), str(optimize)]
        command = [str(interpreter.runs), "-PSs", "-W", "ignore", *(() if positions else _NO_POSITIONS)]
        command += [str(_WORKER), str(os.cpu_count() or 1)]
        try:
            done = workspace.run([*command, str(folder)], env=_settings(), stdin="".join(f"{word}\0" for word in words))
        except ProgramFailed as error:
            if step := advice(error.stderr):
                raise MachineError("cannot compile the modules", evidence=error.stderr, step=step) from error
            raise
        answers = done.stdout.split("\0")
        complaints = dict(zip(answers[0:-1:2], answers[1:-1:2], strict=True))
        refused = {path: said for path, *_ in jobs if (said := complaints.get(names.get(path, path))) is not None}
        kept: dict[str, KeptFile] = {}
        for number, (path, link, _) in enumerate(jobs):
            if path not in refused:
                made = folder / f"made-{number}.pyc"
                kept[path] = keep(made, link, Digest.of_content(OnDisk(made, 0)))
        return _Compiled(kept, refused)


def _settings() -> dict[str, str]:
    """What the interpreter is told: a fixed hash seed, as the order of a set's members reaches the bytecode.

    Nobody's own settings are: an empty variable counts as none.
    """
    return {**{name: "" for name in os.environ if name.startswith("PYTHON")}, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


def _on_disk(file: File, spare: Path) -> Path:
    """Where the source lies; it's written to ``spare`` when it lies nowhere."""
    if isinstance(file.content, OnDisk):
        return file.content.path
    with file.content.open() as stream, explained(spare):
        spare.write_bytes(stream.read())
    return spare
