"""The rows of SQLite's databases as text, a name and a value to each line.

A database is whoever's: nothing of it is run but reading its tables, and that ends after a number of steps.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import tempfile
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from cannery.secrets.names import names_a_secret

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from cannery.secrets.budget import Budget

__all__ = ["inside_sqlite"]

_LARGEST: Final = 1 << 28  # bytes
_LARGEST_ROW: Final = 1 << 22
_MOST_TABLES: Final = 10_000
_LONGEST: Final = 1 << 16  # letters of a value that are looked at
_STEPS: Final = 100_000_000  # of SQLite's machine, for one database
_PIECE: Final = 1 << 18  # bytes
_PLAIN: Final = re.compile(r"create table\b", re.IGNORECASE)  # and no module's
_VAGUE: Final = frozenset(("key", "value", "id", "hash", "data"))  # columns that a table's name tells about


def inside_sqlite(stream: BinaryIO, budget: Budget) -> Iterator[tuple[str, BinaryIO]]:
    """The tables of a database, each with its rows."""
    with tempfile.NamedTemporaryFile(suffix=".sqlite") as file:
        shutil.copyfileobj(stream, file, _PIECE)
        file.flush()
        if file.tell() > _LARGEST:
            budget.exceeded = True
        else:
            yield from _tables(file.name, budget)


def _tables(path: str, budget: Budget) -> Iterator[tuple[str, BinaryIO]]:
    try:
        import sqlite3  # noqa: PLC0415  # some Pythons come without
    except ImportError:
        return
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        _restrict(database)
        try:
            every = database.execute("select name, sql from sqlite_master where type = 'table'")
            for name in [str(name) for name, sql in every.fetchmany(_MOST_TABLES) if _PLAIN.match(str(sql))]:
                if budget.next_member():
                    yield f"table {name}", cast("BinaryIO", io.BufferedReader(_Rows(database, name)))
        except (sqlite3.Error, ValueError):
            return


def _restrict(database: sqlite3.Connection) -> None:
    """Allow nothing but reading, and so much of it."""
    import sqlite3  # noqa: PLC0415  # as above

    def may(action: int, *_: object) -> int:
        return sqlite3.SQLITE_OK if action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ} else sqlite3.SQLITE_DENY

    database.text_factory = lambda data: data.decode("utf-8", "replace")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_ROW)
    database.set_authorizer(may)
    steps = iter(range(_STEPS // 10_000))
    database.set_progress_handler(lambda: next(steps, None) is None, 10_000)


class _Rows(io.RawIOBase):
    """The rows of a table, as a stream of lines of JSON."""

    def __init__(self, database: sqlite3.Connection, table: str) -> None:
        quoted = table.replace('"', '""')
        self._table = table
        self._cursor = database.execute(f'select * from "{quoted}"')  # noqa: S608  # quoted
        self._left = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what the next row has."""
        while not self._left and (row := self._next()):
            self._left = row
        data, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

    def _next(self) -> bytes:
        row = self._cursor.fetchone()
        if row is None:
            return b""
        named = zip((column[0] for column in self._cursor.description), row, strict=True)
        texts = {self._named(name): _text(value) for name, value in named}
        return json.dumps({name: text for name, text in texts.items() if text}).encode() + b"\n"

    def _named(self, column: str) -> str:
        return self._table if column in _VAGUE and names_a_secret(self._table) else column


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value[:_LONGEST] if isinstance(value, str) else ""
