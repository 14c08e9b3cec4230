"""The secrets in a file, by all that this room knows: read once, in pieces, however large the file is."""

from __future__ import annotations

import codecs
import io
import posixpath
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from cannery.secrets.addresses import addresses_in, headers_in
from cannery.secrets.assignments import assignments_in, only_secret, variables_in
from cannery.secrets.budget import Budget
from cannery.secrets.commands import logins_in
from cannery.secrets.documents import documents_in, index_passwords, names_indexes
from cannery.secrets.encoded import begins_source_map, decoded_runs, encoding_of, is_packed
from cannery.secrets.file_names import kind_by_name
from cannery.secrets.hashes import hashes_in, may_hold_hashes
from cannery.secrets.key_files import key_file, keys_in
from cannery.secrets.kind import Secret
from cannery.secrets.names import begins_a_script, begins_settings, is_configuration, is_script
from cannery.secrets.opened import texts_of
from cannery.secrets.sieve import sift
from cannery.secrets.tables import is_table, secrets_in_table
from cannery.secrets.tokens import tokens_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cannery.image.hashing import Readable
    from cannery.secrets.opened import Texts

__all__ = ["Looked", "SecretSearch", "held", "secret_in_value", "secrets_in", "secrets_in_binary", "secrets_in_words"]

CHUNK: Final = 1 << 18  # bytes that are looked at in one go
_OVERLAP: Final = 1 << 12  # of them that are looked at again with the next: a secret may lie across both
_IN_MEMORY: Final = 1 << 26  # bytes: a larger archive is kept in a temporary file
_NEWLINE: Final = 10
_MOST: Final = 20  # secrets that are told of one file


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in a file."""

    secrets: tuple[Secret, ...] = ()
    members: tuple[str, ...] = ()  # names of what is packed in it, as far as they were asked for
    is_partial: bool = False  # it unpacks to more than was looked at
    maps_sources: bool = False  # a source map in it has the sources themselves


@dataclass
class SecretSearch:
    """A search through one file.

    ``thorough`` is for files of one's own: those of others have passwords in their prose, too.
    """

    name: str
    budget: Budget = field(default_factory=Budget)
    thorough: bool = True
    wanted: Callable[[str], bool] = lambda _: False  # which names of members are told
    _found: dict[Secret, None] = field(default_factory=dict)
    _members: dict[str, None] = field(default_factory=dict)
    _maps_sources: bool = False

    def through(self, head: bytes, rest: Readable) -> Looked:
        """The secrets in the file that begins with ``head`` and goes on with ``rest``."""
        self.budget.for_file()
        self._content(self.name, head, rest, ())
        return Looked(tuple(self._found), tuple(self._members), self.budget.exceeded, self._maps_sources)

    def _content(self, name: str, head: bytes, rest: Readable, within: tuple[str, ...]) -> None:
        if kind := key_file(head):
            self._add(Secret(kind, within=within))
        elif is_packed(head):
            self._packed(name, head, rest, within)
        elif self.thorough and (texts := texts_of(head)):
            self._texts(texts, head, rest, within)
        elif encoding := encoding_of(head):
            label = encoding.upper().removesuffix("-LE").removesuffix("-BE")
            self._text(name, _transcoded(_pieces(head, rest), encoding), (*within, label))
        elif b"\0" in head[:CHUNK]:
            self._binary(_pieces(head, rest), within)
        else:
            if self.thorough and (secret := only_secret(name, head)):
                self._add(secret, within=within)
            suffix = ".sh" if begins_a_script(head) else ".conf" if begins_settings(name, head) else ""
            self._text(f"{name}{suffix}", _pieces(head, rest), within)

    def _packed(self, name: str, head: bytes, rest: Readable, within: tuple[str, ...]) -> None:
        """Look through an archive or a compressed file; what comes before a damage is looked at."""
        from cannery.secrets import packed  # noqa: PLC0415  # most files are not

        if self.budget.too_deep(len(within)):
            return
        stream = cast("BinaryIO", _Chained(head, rest))
        try:
            if (inside := packed.inside_stream(head)) is not None:
                self._each(inside(stream, self.budget), within)
            elif (inside_file := packed.inside_file(head)) is not None:
                with held(_pieces(head, rest)) as (file, size):
                    self._each(inside_file(file, size, self.budget), within)
            else:
                inner, opened = packed.uncompressed(name, head, stream)
                self._member(inner, opened, within)
        except packed.DAMAGE:
            return

    def _texts(self, texts: Texts, head: bytes, rest: Readable, within: tuple[str, ...]) -> None:
        """Look through a file that keeps texts in a form of its own: as it is, and at the texts."""
        if self.budget.too_deep(len(within)):
            return
        with held(_pieces(head, rest)) as (file, _):
            self._binary(_pieces(b"", file), within)
            file.seek(0)
            for shown, stream in texts(file, self.budget):
                limited = _Limited(stream, self.budget)
                self._content(".conf", limited.read(CHUNK), limited, (*within, shown))

    def _each(self, inside: Iterator[tuple[str, BinaryIO]], within: tuple[str, ...]) -> None:
        for name, stream in inside:
            self._member(name, stream, within)

    def _member(self, name: str, stream: BinaryIO, within: tuple[str, ...]) -> None:
        """Look through a member; what its name says counts, too."""
        if self.wanted(name):
            self._members[name] = None
        for secret in secrets_in_words(name) if self.thorough else ():
            self._add(secret, within=(*within, "a name"))
        limited = _Limited(stream, self.budget)
        head = limited.read(CHUNK)
        if head and self.thorough and (kind := kind_by_name(name)):
            self._add(Secret(kind, within=(*within, name)))
        self._content(posixpath.basename(name), head, limited, (*within, name))

    def _binary(self, pieces: Iterable[bytes], within: tuple[str, ...]) -> None:
        for window, _ in _windows(pieces):
            for secret in secrets_in_binary(window):
                self._add(secret, within=within)
            if self.thorough:
                for secret in (*(secret for secret, _ in addresses_in(window)), *variables_in(window)):
                    self._add(secret, within=within)

    def _text(self, name: str, pieces: Iterable[bytes], within: tuple[str, ...]) -> None:
        line = 1
        for window, fresh in _windows(pieces):
            for secret, place in secrets_in(name, window, thorough=self.thorough):
                self._add(secret, line + window.count(b"\n", 0, place), within)
            if self.thorough:
                self._decoded(name, window, line, within)
            line += window.count(b"\n", 0, fresh)

    def _decoded(self, name: str, window: bytes, line: int, within: tuple[str, ...]) -> None:
        for place, encoding, content in decoded_runs(window):
            if self.budget.too_deep(len(within)) or self.budget.spent(len(content)):
                return
            self._maps_sources = self._maps_sources or begins_source_map(content)
            shown = f"{encoding} in line {line + window.count(bytes((_NEWLINE,)), 0, place)}"
            inner = ".conf" if begins_settings("", content) else name  # whatever it's encoded in
            self._content(inner, content, io.BytesIO(), (*within, shown))

    def _add(self, secret: Secret, line: int = 0, within: tuple[str, ...] = ()) -> None:
        if len(self._found) < _MOST:
            placed = Secret(secret.kind, line, secret.name, within or secret.within, secret.proven)
            self._found.setdefault(placed)


def secrets_in(name: str, window: bytes, *, thorough: bool = True) -> list[tuple[Secret, int]]:
    """The secrets in a text that is a part of the file ``name``, each with its place; a line tells one of them best."""
    certain = [(secret, window.find(text)) for secret, text in tokens_in(sift(window))]
    certain += keys_in(window)
    if thorough:
        certain += _named(name, window)
        lines = {window.rfind(b"\n", 0, place) for _, place in certain}
        assigned = assignments_in(window, is_code=not is_configuration(name))
        certain += [each for each in assigned if window.rfind(b"\n", 0, each[1]) not in lines]
    return certain


def _named(name: str, window: bytes) -> Iterator[tuple[Secret, int]]:
    """The secrets in a text by what stands around them."""
    yield from index_passwords(window) if names_indexes(name) else addresses_in(window)
    if b"uthorization" in window or b"UTHORIZATION" in window:
        yield from headers_in(window)
    yield from documents_in(window)
    if may_hold_hashes(name):
        yield from hashes_in(window)
    if is_table(name):
        yield from secrets_in_table(window)
    if is_script(name):
        yield from logins_in(window.decode("latin-1"))


def secrets_in_words(*words: str) -> list[Secret]:
    """The tokens, and the passwords in addresses, among ``words`` such as a file's name or what a link leads to."""
    data = "\n".join(words).encode("utf-8", "surrogateescape")
    return [*(secret for secret, _ in tokens_in(sift(data))), *(secret for secret, _ in addresses_in(data))]


def secret_in_value(value: str) -> Secret | None:
    """The first secret in the value of a variable, which may be a document, or encoded."""
    data = value.encode("utf-8", "surrogateescape")
    return next(iter(SecretSearch(".conf").through(data, io.BytesIO()).secrets), None)


def secrets_in_binary(window: bytes, *, noise: bool = True) -> Iterator[Secret]:
    """The tokens and keys in a part of a program; with ``noise`` it is machine code or compressed, too."""
    yield from (secret for secret, _ in tokens_in(sift(window), joined=True, noise=noise))
    yield from (secret for secret, _ in keys_in(window))


@contextmanager
def held(pieces: Iterable[bytes]) -> Iterator[tuple[BinaryIO, int]]:
    """The pieces as a file that can be read in any order, and its size; a large one has no name and lies on disk."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        for piece in pieces:
            file.write(piece)
        size = file.tell()
        file.seek(0)
        yield cast("BinaryIO", file), size


def _pieces(head: bytes, rest: Readable) -> Iterator[bytes]:
    for start in range(0, len(head), CHUNK):
        yield head[start : start + CHUNK]
    while data := rest.read(CHUNK):
        yield data


def _windows(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Each piece with the end of the one before in front, and how many bytes of it no later window has."""
    before = b""
    for piece in pieces:
        window = before + piece
        before = window[-_OVERLAP:]
        yield window, len(window) - len(before)


def _transcoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "replace")


class _Chained(io.RawIOBase):
    """A stream of what was read already, and of what follows."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes."""
        if self._head:
            data, self._head = (self._head, b"") if size < 0 else (self._head[:size], self._head[size:])
            return data
        return self._rest.read(size) or b""


class _Limited:
    """A stream that ends where the budget does."""

    def __init__(self, stream: Readable, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes."""
        if self._budget.exceeded:
            return b""
        data = self._stream.read(min(size, CHUNK) if size >= 0 else CHUNK) or b""
        return b"" if self._budget.spent(len(data)) else data
