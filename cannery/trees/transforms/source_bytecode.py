"""The bytecode of sources, from the cache or made by the interpreter that it is for.

It's hash-based and unchecked (PEP 552), so that fixed file times don't make it stale, and names the source by its path
in the image, so that it's the same wherever the project lies.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from cannery.errors import MachineError
from cannery.image.content import OnDisk
from cannery.image.tree import File
from cannery.workspace.digest import Digest
from cannery.workspace.files import advice, changed, explained
from cannery.workspace.kept import keep, kept_file
from cannery.workspace.keys import code_key, key_of, package_file
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.python.interpreter import Interpreter
    from cannery.workspace.kept import KeptFile
    from cannery.workspace.workspace import Workspace

__all__ = ["SourceBytecode", "compile_sources"]

_WORKER = package_file("trees/workers/compile_bytecode.py")
_HEADER = 16  # bytes (PEP 552)
_NO_POSITIONS = ("-X", "no_debug_ranges")


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
    workspace.progress("making bytecode of 1 module" if len(jobs) == 1 else f"making bytecode of {len(jobs):,} modules")
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
