"""Sources become bytecode: ``x.py`` is replaced by ``x.pyc``, which imports load with no source at all (PEP 3147).

The ``.pyc`` files are hash-based and unchecked (PEP 552), so that fixed file times don't make them stale, and name
the source by its path in the image, so that they are the same wherever the project lies.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ProjectError
from cannery.files import explained
from cannery.model import Digest, Entry, File, OnDisk, Transform, Tree, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.app import Interpreter
    from cannery.workspace import Workspace

__all__ = ["bytecode"]

_WORKER = Path(__file__).with_name("compile_worker.py")

# A fixed hash seed, because the order of a set's members reaches the bytecode; and nobody's own settings.
_CLEAN = {"PYTHONHASHSEED": "0", "PYTHONHOME": "", "PYTHONPATH": "", "PYTHONWARNINGS": "", "PYTHONUTF8": "1"}


def bytecode(
    interpreter: Interpreter,
    workspace: Workspace,
    *,
    optimize: int = 0,
    keep_sources: tuple[str, ...] = (),
    strict: bool = False,
) -> Transform:
    """The transform for ``interpreter``; ``optimize`` counts as ``python -O`` does.

    Modules whose import root-relative path or top-level name matches ``keep_sources`` keep their source beside the
    bytecode. A file that is no Python stays as it is, or raises :class:`ProjectError` when ``strict``.
    """
    key = key_of("bytecode", 1, interpreter.cache_tag, interpreter.version, optimize, keep_sources, strict)

    def apply(tree: Tree) -> Tree:
        sources = {path: file for path, file in tree.files() if path.endswith(".py")}
        compiled, refused = _compiled(sources, interpreter, optimize, workspace)
        if refused and strict:
            path, message = next(iter(refused.items()))
            raise ProjectError(
                f"{path} is no Python {interpreter.version_text}",
                evidence=message,
                step="correct it, or leave it out with  [tool.cannery]  exclude",
            )
        entries: dict[str, Entry] = {}
        for path, entry in tree:
            if path not in compiled:
                entries[path] = entry
            elif _kept(path, keep_sources):
                folder, name = posixpath.split(path)
                suffix = f"{interpreter.cache_tag}{f'.opt-{optimize}' if optimize else ''}.pyc"
                entries[path] = entry
                entries[f"{folder}/__pycache__/{name.removesuffix('.py')}.{suffix}"] = compiled[path]
            else:
                entries[f"{path}c"] = compiled[path]
        return Tree(entries)

    return Transform(key, apply)


def _kept(path: str, patterns: tuple[str, ...]) -> bool:
    parts = path.split("/")
    return any(
        fnmatch.fnmatchcase(part, pattern) or fnmatch.fnmatchcase(part, f"{pattern}.py")
        for pattern in patterns
        for part in parts
    )


def _compiled(
    sources: Mapping[str, File], interpreter: Interpreter, optimize: int, workspace: Workspace
) -> tuple[dict[str, File], dict[str, str]]:
    """The bytecode of each source, from the cache or made now; and what is wrong with those that can't be."""
    home = workspace.cache.root / "bytecode"
    targets: dict[str, Path] = {}
    missing: list[tuple[str, Path, File]] = []
    for path, file in sources.items():
        key = key_of(Digest.of_content(file.content), path, interpreter.cache_tag, interpreter.version, optimize)
        targets[path] = home / key[:2] / key
        if not targets[path].exists():
            missing.append((path, targets[path], file))
    refused = _compile(missing, interpreter, optimize, workspace) if missing else {}
    done = {
        path: File(OnDisk(target, target.stat().st_size), sources[path].mode & ~0o111)
        for path, target in targets.items()
        if path not in refused
    }
    return done, refused


def _compile(
    jobs: list[tuple[str, Path, File]], interpreter: Interpreter, optimize: int, workspace: Workspace
) -> dict[str, str]:
    """Let the interpreter compile what is missing; returns what is wrong, by path."""
    workspace.progress(f"compiling {len(jobs)} modules")
    with workspace.cache.scratch() as folder:
        words: list[str] = []
        for number, (path, target, file) in enumerate(jobs):
            words += [str(_on_disk(file, folder / f"{number}.py")), str(target), path, str(optimize)]
        for parent in {target.parent for _, target, _ in jobs}:
            with explained(parent):
                parent.mkdir(parents=True, exist_ok=True)
        done = workspace.run(
            [str(interpreter.executable), "-PSs", "-W", "ignore", str(_WORKER), str(os.cpu_count() or 1)],
            env=_CLEAN,
            stdin="".join(f"{word}\0" for word in words),
        )
    answers = done.stdout.split("\0")
    return dict(zip(answers[0:-1:2], answers[1:-1:2], strict=True))


def _on_disk(file: File, spare: Path) -> Path:
    """Where the source lies; it's written to ``spare`` when it lies nowhere."""
    if isinstance(file.content, OnDisk):
        return file.content.path
    with file.content.open() as stream:
        spare.write_bytes(stream.read())
    return spare
