"""Facts about the contents of the project's files, remembered so that an unchanged file is not read again."""

from __future__ import annotations

import io
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.errors import CanneryError
from cannery.image.hashing import HashingReader, pieces
from cannery.project.secrets import FoundSecret
from cannery.python.grammar import NoPythonError, parse, parse_with
from cannery.trees.code_facts import CodeFacts, code_facts
from cannery.trees.needs import libraries_opened
from cannery.workspace.files import stamp_of
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    import ast
    import os
    from collections.abc import Callable

    from cannery.image.hashing import Readable
    from cannery.workspace.workspace import Workspace

__all__ = ["FactsIndex", "FileFacts"]

_CHUNK = 1 << 20
# A file that changed so short a time before it was read may change again within the same tick of the clock.
_SETTLED_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file's content, in short."""

    sha256: str
    is_elf: bool = False
    secrets: tuple[FoundSecret, ...] = ()  # in the content
    code: CodeFacts = field(default_factory=CodeFacts)  # of a .py file that is code
    broken: str = ""  # what is wrong with one that is no Python; empty for nothing
    broken_at: tuple[int, str] = (0, "")  # the line of that and its text
    libraries: tuple[str, ...] = ()  # shared libraries that code opens by name


@dataclass
class FactsIndex:
    """The facts of one project's files; call :meth:`save` to keep them for the next run."""

    workspace: Workspace
    folder: Path
    names: frozenset[str]  # of the project's files and folders: strings that begin with one are facts
    python: Callable[[], Path]  # the Python that the sources are for, asked where the running one can't read them
    _known: dict[str, list[Any]] = field(init=False)
    _seen: dict[str, list[Any]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._known = self.workspace.cache.recall("facts", self._key) or {}

    @property
    def _key(self) -> str:
        return key_of("facts", code_key(__name__), str(self.folder), sorted(self.names))

    def of(self, path: Path, status: os.stat_result, *, code: bool) -> FileFacts:
        """The facts about the regular file ``path``, whose ``status`` was just read; with ``code`` also its imports."""
        code = code and path.suffix == ".py"
        stamp = [*stamp_of(status), code]
        known = self._known.get(str(path))
        if known is not None and known[0] == stamp:
            self._seen[str(path)] = known
            return msgspec.convert(known[1], FileFacts)
        read = self._read(path, code=code)
        settled = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS
        if settled and not read.broken:  # another Python may find nothing wrong with it
            self._seen[str(path)] = [stamp, msgspec.to_builtins(read)]
        return read

    def save(self) -> None:
        """Keep the facts for the next run, less those about files that are gone."""
        if self._seen != self._known:
            self.workspace.cache.remember("facts", self._key, self._seen)

    def _read(self, path: Path, *, code: bool) -> FileFacts:
        """Read ``path`` once; a file that isn't ``code`` takes no more memory than a chunk."""
        with path.open("rb") as stream:
            reader = HashingReader(stream)
            head = reader.read(_CHUNK)
            source = b"".join([head, *pieces(reader, _CHUNK)]) if code else b""
            secrets = _secrets_in(path.name, head, io.BytesIO(source[len(head) :]) if code else reader)
            for _ in pieces(reader, _CHUNK):
                pass
        sha256, is_elf = reader.digest.hex, head.startswith(b"\x7fELF")
        if not code:
            return FileFacts(sha256, is_elf, secrets)
        try:
            tree = self._parse(source)
        except NoPythonError as error:
            return FileFacts(sha256, secrets=secrets, broken=error.message, broken_at=(error.line, error.text))
        libraries = tuple(sorted({*libraries_opened(source)}))
        return FileFacts(sha256, secrets=secrets, code=code_facts(tree, self.names), libraries=libraries)

    def _parse(self, source: bytes) -> ast.Module:
        """The syntax tree of ``source``, in the grammar of the Python that it is for where that differs."""
        try:
            return parse(source)
        except NoPythonError as error:
            try:
                python = self.python()
            except CanneryError:
                raise error from None  # it's what is known
            if python == Path(sys.executable):
                raise
            return parse_with(python, source, self.workspace.run)


def _secrets_in(name: str, head: bytes, rest: Readable) -> tuple[FoundSecret, ...]:
    """The secrets in the file ``name`` that begins with ``head``, by the rules of the audit."""
    from cannery.secrets.search import SecretSearch  # noqa: PLC0415  # not needed when nothing has changed

    found = SecretSearch(name).through(head, rest).secrets
    return tuple(FoundSecret(each.kind.id, each.told, each.line if not each.within else 0) for each in found)
