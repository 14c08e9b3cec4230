"""Facts about a file's content, which is read once from the first byte to the last.

A file that has to be read in another order is kept for that long, in memory or, where it's large, in an unnamed
temporary file. Only one is kept at a time.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, BinaryIO, Final

from cannery.audit.contents import NodeFacts
from cannery.audit.elf_facts import elf_node_facts
from cannery.audit.pyc import assignments_of, is_start_of_bytecode, is_start_of_source, read_pyc, strings_of
from cannery.audit.traces import MOST_SHOWN, build_paths
from cannery.elf.headers import MAGIC
from cannery.secrets.assignments import assigned
from cannery.secrets.budget import Budget
from cannery.secrets.encoded import begins_source_map
from cannery.secrets.search import SecretSearch, secrets_in, secrets_in_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.audit.pyc import Code
    from cannery.secrets.kind import Secret

__all__ = ["BYTECODE", "SOURCES", "STUBS", "extension_name", "is_source_name", "scan"]

SOURCES: Final = (".py", ".pyw", ".pyx", ".pxd", ".pxi", ".ipynb")
STUBS: Final = (".pyi",)
BYTECODE: Final = (".pyc", ".pyo")
_COPIES: Final = re.compile(
    r"(?:~|\.(?:bak|backup|old|orig|save|sav|swp|tmp|rej|copy|disabled|txt|\d+)|#)+$", re.IGNORECASE
)
_METADATA: Final = ("RECORD", "SOURCES.txt", "installed-files.txt", "direct_url.json")
_CHUNK: Final = 1 << 18  # bytes
_SHORT: Final = 1 << 12  # bytes of a module that starts something at most
_LARGEST_TEXT: Final = 1 << 24  # bytes

_EXTENSION: Final = re.compile(
    r"(\w+)(?:\.(?:cpython|pypy|abi3|cp\d)[\w-]*)?\.(?:so|pyd)"
)  # as importlib.machinery has the suffixes
_SUPERUSER: Final = re.compile(r"^([^:\n]+):[^:\n]*:0+:", re.MULTILINE)  # passwd(5)
_LOCAL: Final = re.compile(r'"url"\s*:\s*"file://([^"]+)"')  # PEP 610


def extension_name(path: str) -> str | None:
    """The name of the extension module in the file ``path``; None where an import takes the file for none."""
    folder, name = posixpath.split(path)
    match = _EXTENSION.fullmatch(name)
    if match is None or name.startswith("lib"):
        return None
    return posixpath.basename(folder) if match[1] == "__init__" else match[1]


def is_source_name(path: str) -> bool:
    """True for the name of a file of Python's source, and of a copy that an editor or a merge left: ``x.py.orig``."""
    bare = _COPIES.sub("", posixpath.basename(path)).removeprefix(".#").removeprefix("#")
    return bare.endswith(SOURCES) and bare not in SOURCES


def scan(
    path: str,
    stream: BinaryIO,
    size: int,
    *,
    readable: bool = False,
    thorough: bool = True,
    budget: Budget | None = None,
) -> NodeFacts:
    """The facts about the file ``path`` of ``size`` bytes in ``stream``.

    With ``readable`` the texts that people can read in a module are among them. ``thorough`` is for files that may be
    the app's own. ``budget`` says how much may be unpacked.
    """
    head = stream.read(_CHUNK)
    name = posixpath.basename(path)
    if head.startswith(MAGIC) and not _is_core(head):
        return elf_node_facts(_all(head, stream), size, readable=readable, thorough=thorough)
    if name.endswith(BYTECODE):
        return _of_bytecode(_text(head, stream), readable=readable, thorough=thorough)
    if name in _METADATA[:-1]:
        return NodeFacts(named_sources=_sources_named(_text(head, stream)))
    looked = SecretSearch(name, budget or Budget(), thorough, is_source_name).through(head, stream)
    return NodeFacts(
        secrets=looked.secrets,
        superusers=tuple(_SUPERUSER.findall(head.decode("utf-8", "replace"))) if path == "/etc/passwd" else (),
        is_partial=looked.is_partial,
        packed_sources=looked.members[:MOST_SHOWN],
        named_sources=tuple(_LOCAL.findall(head.decode("utf-8", "replace"))) if name == _METADATA[-1] else (),
        maps_sources=looked.maps_sources or (name.endswith(".map") and begins_source_map(head)),
        starts_only=_may_start(name, head) and is_start_of_source(head),
    )


def _of_bytecode(data: bytes, *, readable: bool, thorough: bool) -> NodeFacts:
    secrets = dict.fromkeys(secrets_in_binary(data, noise=False))
    code = read_pyc(data) if thorough or secrets else None
    if code and thorough:
        secrets = dict.fromkeys(_secrets_of(code)) or secrets
    return NodeFacts(
        secrets=tuple(secrets),
        build_paths=build_paths(data),
        starts_only=code is not None and is_start_of_bytecode(code),
        readable=tuple(dict.fromkeys(filter(None, strings_of(code)))) if code and readable else (),
    )


def _secrets_of(code: Code) -> Iterator[Secret]:
    """The secrets among the texts of a module, and among those that it sets names to."""
    text = "\n".join(strings_of(code)).encode("utf-8", "replace")
    yield from dict.fromkeys(secret for secret, _ in secrets_in(".py", text))
    for name, value in assignments_of(code):
        if (found := assigned(name, value, is_code=True)) is not None:
            yield found


def _is_core(head: bytes) -> bool:
    """True for what a crash left: memory with an ELF header, and no program (elf(5): ET_CORE)."""
    return head[16:18] in {b"\4\0", b"\0\4"}


def _sources_named(text: bytes) -> tuple[str, ...]:
    lines = (line.partition(",")[0].strip() for line in text.decode("utf-8", "replace").splitlines())
    return tuple(line for line in lines if line.endswith((*SOURCES, ".c")))


def _may_start(name: str, head: bytes) -> bool:
    return len(head) < _SHORT and (name.endswith(".py") or (head.startswith(b"#!") and b"python" in head[:80]))


def _text(head: bytes, stream: BinaryIO) -> bytes:
    """A file's bytes, 16 MiB of them at most."""
    parts, size = [], 0
    for piece in _all(head, stream):
        parts.append(piece)
        size += len(piece)
        if size >= _LARGEST_TEXT:
            break
    return b"".join(parts)


def _all(head: bytes, stream: BinaryIO) -> Iterator[bytes]:
    yield head
    while data := stream.read(_CHUNK):
        yield data
