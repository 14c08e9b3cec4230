"""Facts about a file's content, which is read once from the first byte to the last.

A file that has to be read in another order is kept for that long, in memory or, where it's large, in an unnamed
temporary file. Only one is kept at a time.
"""

from __future__ import annotations

import os
import posixpath
import re
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from cannery.audit.contents import ElfFacts, NodeFacts
from cannery.audit.pyc import is_start_of_bytecode, is_start_of_source, read_pyc, strings_of
from cannery.audit.readable import readable_strings
from cannery.audit.tokens import token_in
from cannery.elf.dynamic import machine_of, read_elf
from cannery.elf.headers import MAGIC, ElfReader, MalformedElfError
from cannery.elf.sections import SectionTable
from cannery.image.content import Content, Inline
from cannery.project.secrets import secret_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["BYTECODE", "SOURCES", "extension_name", "scan"]

SOURCES = (".py", ".pyw", ".pyx", ".pxd", ".pxi", ".ipynb")
BYTECODE = (".pyc", ".pyo")
_ARCHIVES = (".zip", ".whl", ".egg", ".pyz")
_METADATA = ("RECORD", "SOURCES.txt", "installed-files.txt")
_CHUNK = 1 << 18  # bytes
_OVERLAP = 1 << 12  # bytes of a chunk that are looked at again with the next: a match may lie across both
_IN_MEMORY = 1 << 26  # bytes: larger files are kept in a temporary one
_LARGEST_TEXT = 1 << 24  # bytes
_MOST_SHOWN = 3  # of build paths, of lines, of named sources
_MOST_MODULES = 100  # in one file: a library of Python itself has as many
_MOST_MEMBERS = 10_000
_TRAILER = 1 << 12  # bytes behind the end of an ELF file that alignment may explain; more are an archive
_LAUNCHER = b"_CANNERY_PROGRAM\0"  # a name that every static executable has in it (static/launcher: main.c, stub.c)
_PYINSTALLER = b"MEI\014\013\012\013\016"  # its archives' cookie (PyInstaller/archive/writers.py)

_ROOTS = (
    b"/home/",
    b"/Users/",
    b"/root/",
    b"tmp/",
    b"/build",
    b"/github/",
    b"/__w/",
    b"/workspace/",
    b"/mnt/",
    b"/srv/",
    b"/opt/",
    b"/private/",
)
_BUILD = re.compile(
    rb"(?<![\w.])/(?:(?:home|Users)/[\w.-]+/[\w./+-]+"
    rb"|(?:root|tmp|var/tmp|build|builds|private/var|github|__w|workspace|mnt|srv|opt/[\w.-]+)/[\w./+-]*"
    rb"\.(?:py|pyx|pxd|c|cc|cpp|cxx|h|hpp|rs|go|o|S)\b)"
)
_STATEMENTS = re.compile(  # three lines in a row that no sentence has
    rb"(?:^|(?<=[\n\0]))(?:(?:(?:async )?def \w+\([^\n\0]*:|class \w+[^\n\0]*:|from [\w.]+ import [^\n\0]+"
    rb"|import [\w., ]+|@\w[^\n\0]*|    [^\n\0]*|#[^\n\0]*)?\n){3,}"
)
_DEFINITION = re.compile(rb"^(?:async )?def |^class |^from |^import ", re.MULTILINE)
_EXTENSION = re.compile(
    r"(\w+)(?:\.(?:cpython|pypy|abi3|cp\d)[\w-]*)?\.(?:so|pyd)"
)  # as importlib.machinery has the suffixes
_INIT = re.compile(rb"PyInit_(\w+)")
_DEBUG = re.compile(rb"\.z?debug(_.*)?|\.gdb_index|\.stab.*|\.gnu_debugdata")


def extension_name(path: str) -> str | None:
    """The name of the extension module in the file ``path``; None where an import takes the file for none."""
    folder, name = posixpath.split(path)
    match = _EXTENSION.fullmatch(name)
    if match is None or name.startswith("lib"):
        return None
    return posixpath.basename(folder) if match[1] == "__init__" else match[1]


def scan(path: str, stream: BinaryIO, size: int, *, readable: bool = False) -> NodeFacts:
    """The facts about the file ``path`` of ``size`` bytes in ``stream``.

    With ``readable`` the texts that people can read in a module are among them.
    """
    head = stream.read(_CHUNK)
    name = posixpath.basename(path)
    if head.startswith(MAGIC):
        return _of_elf(head, stream, size, readable=readable)
    if name.endswith(BYTECODE):
        return _of_bytecode(_text(head, stream), readable=readable)
    if name.endswith(_ARCHIVES) and head.startswith(b"PK"):
        with _held(head, stream, size) as content:
            return NodeFacts(named_sources=_sources_in(content))
    if name in _METADATA:
        return NodeFacts(named_sources=_sources_named(_text(head, stream)))
    secret = secret_in(name, head) or token_in(head)
    return NodeFacts(secret=secret, starts_only=_may_start(name, head) and is_start_of_source(head))


def _of_bytecode(data: bytes, *, readable: bool) -> NodeFacts:
    code = read_pyc(data)
    return NodeFacts(
        secret=token_in(data),
        build_paths=_build_paths(data),
        starts_only=code is not None and is_start_of_bytecode(code),
        readable=tuple(dict.fromkeys(filter(None, strings_of(code)))) if code and readable else (),
    )


def _of_elf(head: bytes, stream: BinaryIO, size: int, *, readable: bool) -> NodeFacts:
    seen = _Seen()
    with _held(head, stream, size, seen.look) as content:
        return NodeFacts(
            elf=replace(_elf_facts(content), carries=seen.carries) if seen.carries else _elf_facts(content),
            secret=seen.secret,
            build_paths=tuple(seen.build_paths)[:_MOST_SHOWN],
            source_lines=tuple(seen.source_lines)[:_MOST_SHOWN],
            initializes=tuple(seen.initializes),
            readable=readable_strings(content) if readable and seen.initializes else (),
        )


class _Seen:
    """Facts from the pieces of an ELF file that were looked at so far."""

    def __init__(self) -> None:
        self.initializes: dict[str, None] = {}
        self.secret = ""
        self.carries = ""
        self.build_paths: dict[str, None] = {}
        self.source_lines: dict[str, None] = {}

    def look(self, data: bytes) -> None:
        """Look at the next piece, which begins with the end of the one before."""
        if len(self.initializes) < _MOST_MODULES:
            self.initializes |= dict.fromkeys(name.decode() for name in _INIT.findall(data))
        self.secret = self.secret or token_in(data)
        if _PYINSTALLER in data:
            self.carries = "PyInstaller's archive of modules"
        elif _LAUNCHER in data:
            self.carries = "cannery's archive of modules"
        if len(self.build_paths) < _MOST_SHOWN:
            self.build_paths |= dict.fromkeys(_build_paths(data))
        if len(self.source_lines) < _MOST_SHOWN and (b"\nimport " in data or b"\nfrom " in data):
            self.source_lines |= dict.fromkeys(_source_lines(data))


def _elf_facts(content: Content) -> ElfFacts:
    links = read_elf(content)
    with content.open() as stream:
        try:
            reader = ElfReader(stream, content.size)
            debug, carries = _sections(reader)
            return ElfFacts(links, machine_of(reader), debug, carries or _behind(reader))
        except (MalformedElfError, IndexError):
            return ElfFacts(links, links.machine if links else "")


def _sections(reader: ElfReader) -> tuple[tuple[str, ...], str]:
    """The names of sections for debuggers, and the words for staticx's archive where a section holds one."""
    header = reader.header
    if not 0 < header.shstrndx < header.shnum:
        return (), ""
    names = SectionTable.read(reader).names
    debug = tuple(name.decode("ascii", "replace") for name in names if _DEBUG.fullmatch(name))
    carries = "staticx's archive of libraries and program" if b".staticx.archive" in names else ""
    return debug, carries


def _behind(reader: ElfReader) -> str:
    """The words for data behind everything that the headers name; empty where there is none."""
    header = reader.header
    ends = [segment.offset + segment.filesz for segment in reader.segments()]
    ends += [header.shoff + header.shnum * header.shentsize, header.phoff + header.phnum * header.phentsize]
    if header.shnum:
        ends += [section.offset + section.size for section in reader.sections() if section.type not in {0, 8}]
    more = reader.size - max(ends)
    return f"{more:,} bytes behind its end" if more > _TRAILER else ""


def _sources_in(content: Content) -> tuple[str, ...]:
    """The names of sources among the members of a zip archive."""
    with content.open() as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                names = archive.namelist()[:_MOST_MEMBERS]
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return ()
    return tuple(name for name in names if name.endswith(SOURCES))[:_MOST_SHOWN]


def _sources_named(text: bytes) -> tuple[str, ...]:
    lines = (line.partition(",")[0].strip() for line in text.decode("utf-8", "replace").splitlines())
    return tuple(line for line in lines if line.endswith((*SOURCES, ".c")))


def _build_paths(data: bytes) -> tuple[str, ...]:
    if not any(root in data for root in _ROOTS):  # quicker than the pattern, and true of most data
        return ()
    found: dict[str, None] = {}
    for match in _BUILD.finditer(data):
        found[match[0].decode("ascii", "replace")] = None
        if len(found) == _MOST_SHOWN:
            break
    return tuple(found)


def _source_lines(data: bytes) -> tuple[str, ...]:
    """The first line of each run of Python's statements."""
    runs = (match[0] for match in _STATEMENTS.finditer(data))
    lines = (run.lstrip(b"\n").partition(b"\n")[0] for run in runs if len(_DEFINITION.findall(run)) > 1)
    return tuple(line.decode("utf-8", "replace") for line in lines)[:_MOST_SHOWN]


def _may_start(name: str, head: bytes) -> bool:
    return len(head) < _OVERLAP and (name.endswith(".py") or (head.startswith(b"#!") and b"python" in head[:80]))


def _text(head: bytes, stream: BinaryIO) -> bytes:
    """A file's bytes, 16 MiB of them at most."""
    return head + b"".join(_rest(head, stream, _LARGEST_TEXT))


def _rest(head: bytes, stream: BinaryIO, most: int | None = None) -> Iterator[bytes]:
    done = len(head)
    while (most is None or done < most) and (data := stream.read(_CHUNK)):
        done += len(data)
        yield data


@dataclass(frozen=True)
class _Unnamed:
    """Content in a temporary file that has no name."""

    file: BinaryIO
    size: int

    def open(self) -> BinaryIO:
        """A stream from the first byte; one at a time, as all share an offset."""
        stream = os.fdopen(os.dup(self.file.fileno()), "rb")
        stream.seek(0)
        return stream


@contextmanager
def _held(
    head: bytes, stream: BinaryIO, size: int, look: Callable[[bytes], None] = lambda _: None
) -> Iterator[Content]:
    """The whole content; ``look`` is called with each piece of it."""
    pieces = _shown(head, stream, look)
    if size <= _IN_MEMORY:
        yield Inline(b"".join(pieces))
        return
    with tempfile.TemporaryFile() as held:
        for piece in pieces:
            held.write(piece)
        held.flush()
        yield _Unnamed(held, size)


def _shown(head: bytes, stream: BinaryIO, look: Callable[[bytes], None]) -> Iterator[bytes]:
    """The pieces; ``look`` is called with each, and with the end of the one before in front of it."""
    look(head)
    yield head
    before = head
    for data in _rest(head, stream):
        look(before[-_OVERLAP:] + data)
        yield data
        before = data
