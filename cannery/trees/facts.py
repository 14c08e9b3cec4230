"""Facts about the contents of the project's files, remembered so that an unchanged file is not read again."""

from __future__ import annotations

import ast
import time
import warnings
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any

from cannery.errors import ProjectError
from cannery.image.hashing import HashingReader, pieces
from cannery.project.secrets import secret_in
from cannery.workspace.files import stamp_of
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from cannery.workspace.cache import Cache

__all__ = ["FactsIndex", "FileFacts"]

_CHUNK = 1 << 20
# A file that changed so short a time before it was read may change again within the same tick of the clock.
_SETTLED_NS = 1_000_000_000

_SOURCE_READERS = {"findsource", "getsource", "getsourcelines"}  # of inspect


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file's content, in short."""

    sha256: str
    is_elf: bool = False
    secret: str = ""  # the kind of secret that the content is; empty for none
    imports: tuple[str, ...] = ()  # top-level modules that a .py file imports, anywhere in it
    reads_source: int = 0  # the line where a .py file first asks for the source of something; 0 for none


@dataclass
class FactsIndex:
    """The facts of one project's files; call :meth:`save` to keep them for the next run."""

    cache: Cache
    folder: Path
    _known: dict[str, list[Any]] = field(init=False)
    _seen: dict[str, list[Any]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._known = self.cache.recall("facts", self._key) or {}

    @property
    def _key(self) -> str:
        return key_of("facts", code_key(__name__), str(self.folder))

    def of(self, path: Path, status: os.stat_result, *, code: bool) -> FileFacts:
        """The facts about the regular file ``path``, whose ``status`` was just read; with ``code`` also its imports.

        Raises :class:`ProjectError` for code that is no Python.
        """
        code = code and path.suffix == ".py"
        stamp = [*stamp_of(status), code]
        known = self._known.get(str(path))
        if known is not None and known[0] == stamp:
            self._seen[str(path)] = known
            sha256, is_elf, secret, imports, reads_source = known[1]
            return FileFacts(sha256, is_elf, secret, tuple(imports), reads_source)
        facts = read_facts(path, code=code)
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS:
            self._seen[str(path)] = [stamp, list(astuple(facts))]
        return facts

    def save(self) -> None:
        """Keep the facts for the next run, less those about files that are gone."""
        if self._seen != self._known:
            self.cache.remember("facts", self._key, self._seen)


def read_facts(path: Path, *, code: bool) -> FileFacts:
    """Read ``path`` once; a file that isn't ``code`` takes no more memory than a chunk.

    Raises :class:`ProjectError` for code that is no Python.
    """
    with path.open("rb") as stream:
        reader = HashingReader(stream)
        head = reader.read(_CHUNK)
        rest = [data if code else b"" for data in pieces(reader, _CHUNK)]
    imports, reads_source = _read_code(path, b"".join([head, *rest])) if code else ((), 0)
    secret = secret_in(path.name, head)
    return FileFacts(reader.digest.hex, head.startswith(b"\x7fELF"), secret, imports, reads_source)


def _read_code(path: Path, source: bytes) -> tuple[tuple[str, ...], int]:
    """The top-level modules that code imports, and the line where it asks for sources, or 0."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are the project's own affair
            tree = ast.parse(source, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise ProjectError(
            f"{path}{f':{line}' if line else ''}: {getattr(error, 'msg', None) or error}",
            evidence=(getattr(error, "text", None) or "").strip(),
            step="correct it, or leave it out of the image with  [tool.cannery]  exclude",
        ) from error
    found: set[str] = set()
    lines: list[int] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
            if node.module == "inspect" and not _SOURCE_READERS.isdisjoint(alias.name for alias in node.names):
                lines.append(node.lineno)
        elif isinstance(node, ast.Attribute) and node.attr in _SOURCE_READERS:
            lines.append(node.lineno)
    return tuple(sorted(found)), min(lines, default=0)
