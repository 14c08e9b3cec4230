"""Texts that files keep in a form of their own: archives by 7-Zip, PDF, databases, pickles, what is encoded."""

from __future__ import annotations

import base64
import functools
import io
import json
import pickle
import plistlib
import random
import sqlite3
import tracemalloc
import zlib
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannery.secrets.budget import Budget
from cannery.secrets.databases import inside_sqlite
from cannery.secrets.key_files import key_file
from cannery.secrets.packed import DAMAGE
from cannery.secrets.pickles import inside_pickle
from cannery.secrets.search import SecretSearch
from cannery.secrets.seven_zip import inside_seven_zip
from cannery.secrets.spelt_out import dumped_in, office_text
from tests.support.bad_images import audited, file, layer
from tests.support.key_documents import CONFIG
from tests.support.made_up_tokens import GITHUB, drawn
from tests.support.planted_projects import PROJECT_LEAKS, SOURCE_MAPS
from tests.support.texts_inside import REAL_SEVEN_ZIPS, database, dump_by_hexdump, dump_by_xxd, pdf, seven_zip

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.secrets.search import Looked

pytestmark = pytest.mark.once

CHUNK = 1 << 18
NESTED: Any = functools.reduce(
    lambda inner, _: [inner, inner], range(60), cast("Any", ["password"])
)  # 2 to the power of 60, written out
LARGEST = 40_000_000  # bytes that looking through a hostile file may take


def looked(data: bytes, name: str = "file") -> Looked:
    stream = io.BytesIO(data)
    return SecretSearch(name).through(stream.read(CHUNK), stream)


def members(archive: bytes, budget: Budget | None = None) -> dict[str, bytes]:
    found = {}
    for name, stream in inside_seven_zip(io.BytesIO(archive), len(archive), budget or Budget()):
        found[name] = b""
        while piece := stream.read(70_001):
            found[name] += piece
    return found


@pytest.mark.parametrize("kind", REAL_SEVEN_ZIPS)
def test_an_archive_by_another_program_is_read(kind: str) -> None:
    archive = base64.b85decode(REAL_SEVEN_ZIPS[kind])
    assert members(archive) == {"hello.txt": b"hello\n" * 10, "dir/last.txt": b"last\n"}


def test_a_file_in_a_7z_archive_is_the_same_however_large() -> None:
    data = random.Random(1).randbytes(300_000) + b"x" * 700_000
    assert members(seven_zip("a/b.bin", data)) == {"a/b.bin": data}


def test_a_dictionary_that_is_too_large_is_told_and_not_allocated() -> None:
    archive = seven_zip("a", CONFIG * 1000, dictionary=1 << 31)
    assert set(members(archive)) == {"a"}  # no larger than what it unpacks to
    size = (0xE0 | 0x0F).to_bytes(1, "big") + b"\xff\xff\xff"
    hostile = archive.replace(b"\x0c" + archive.partition(b"\x0c")[2][:4], b"\x0c" + size)
    budget = Budget()
    assert not any(members(hostile, budget).values())
    assert budget.exceeded


@settings(max_examples=50, deadline=None)
@given(place=st.integers(0, 400), byte=st.integers(0, 255), cut=st.integers(0, 400))
def test_a_damaged_7z_archive_ends_where_the_damage_is(place: int, byte: int, cut: int) -> None:
    archive = bytearray(seven_zip("conf.toml", CONFIG))
    archive[place % len(archive)] = byte
    with suppress(*DAMAGE):
        members(bytes(archive[: len(archive) - cut % len(archive)]))


@pytest.mark.parametrize(
    "name", ["PDF", "a database with tokens", "a pickle", "a long source map", "a binary property list"]
)
@settings(max_examples=30, deadline=None)
@given(place=st.integers(0, 1 << 14), byte=st.integers(0, 255), cut=st.integers(0, 1 << 12))
def test_a_damaged_document_ends_where_the_damage_is(name: str, place: int, byte: int, cut: int) -> None:
    path, whole = PROJECT_LEAKS[name]
    data = bytearray(whole[: 1 << 16])
    data[place % len(data)] = byte
    looked(bytes(data[: len(data) - cut % len(data)]), path)


@pytest.mark.parametrize(
    "bomb",
    [
        seven_zip("a", bytes(1 << 26)),
        pdf("x").replace(b"/ASCII85Decode ", b"").replace(
            pdf("x").partition(b"stream\n")[2].partition(b"\nendstream")[0], zlib.compress(bytes(1 << 26))
        ),
        b"\x80\x04" + b"\x8c\x09password1" * 4_000,
        b"\x80\x04X\xff\xff\xff\x7f",
        plistlib.dumps(NESTED, fmt=plistlib.FMT_BINARY),
        (dump_by_xxd(bytes(16)) * 4_000).encode(),
    ],
    ids=["7z", "PDF", "pickle", "a length in a pickle", "a property list in itself", "a dump of nothing"],
)  # fmt: skip
def test_what_unpacks_to_much_takes_no_memory(bomb: bytes) -> None:
    tracemalloc.start()
    try:
        looked(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < LARGEST


def test_the_table_of_a_secret_is_told() -> None:
    (secret,) = looked(PROJECT_LEAKS["a database with tokens"][1], "db.sqlite3").secrets
    assert secret.within == ("table authtoken_token",)
    assert secret.name == "authtoken_token"


def test_a_view_of_a_database_which_may_never_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table plain (token text)")
        connection.execute("insert into plain values (?)", (drawn(40),))
        connection.execute(
            "create view many as with recursive c(x) as (values(1) union all select x+1 from c) select x from c"
        )
    with path.open("rb") as file:
        assert [shown for shown, _ in inside_sqlite(file, Budget())] == ["table plain"]
    assert looked(path.read_bytes()).secrets


def test_what_was_deleted_from_a_database_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("pragma secure_delete = off")
        connection.execute("create table plain (a text)")
        connection.executemany("insert into plain values (?)", [("kept",), (f"x {GITHUB} y",)])
        connection.execute("delete from plain where a <> 'kept'")
    assert looked(path.read_bytes()).secrets


def test_a_pickle_is_never_loaded() -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit(3)",)

    (text,) = [stream.read() for _, stream in inside_pickle(io.BytesIO(pickle.dumps(Hostile())), Budget())]
    assert b"raise SystemExit" in text


@pytest.mark.parametrize("encoding", SOURCE_MAPS)
def test_a_source_map_in_a_script_is_one(encoding: str) -> None:
    found = audited(layer(file("app/static/app.js", SOURCE_MAPS[encoding].encode())))
    assert [finding.path for finding in found["CAN115"]] == ["/app/static/app.js"]


def test_a_dump_is_read_as_programs_write_it() -> None:
    data = b'db_password = "x"\n'
    assert dump_by_xxd(data).splitlines() == [
        '00000000: 6462 5f70 6173 7377 6f72 6420 3d20 2278  db_password = "x',
        '00000010: 220a                                     ".',
    ]
    assert dump_by_hexdump(data).splitlines() == [
        '00000000  64 62 5f 70 61 73 73 77  6f 72 64 20 3d 20 22 78  |db_password = "x|',
        '00000010  22 0a                                             |".|',
        "00000012",
    ]
    longer = b"".join(b"%d\n" % number for number in range(2_000))
    for text in dump_by_xxd(longer), dump_by_hexdump(longer):
        shown = f"before\n{text}\n{text}behind: deadbeef\n".encode()
        assert [content for _, content in dumped_in(shown)] == [longer, longer]


def test_words_of_an_office_s_document_are_joined_and_paragraphs_are_not() -> None:
    text = b"<w:p><w:r><w:t>pass</w:t></w:r><w:r><w:t>word=a&amp;b</w:t></w:r></w:p><w:p><w:t>c</w:t></w:p>"
    assert office_text(text) == b"password=a&b\nc\n"
    assert office_text(b"<p>pass</p><p>word</p>") == b""


def test_base64_that_is_longer_than_what_is_read_at_once_is_read_on() -> None:
    text = "".join(f"line {number} of a long text, in words\n" for number in range(12_000)) + f"token {GITHUB}\n"
    for lead in range(4):
        data = b"x" * lead + b" " + base64.b64encode(text.encode())
        assert looked(data, "x.js").secrets, lead


def test_random_bytes_are_no_key() -> None:
    noise = random.Random(2)
    heads = [bytes((first, second)) + noise.randbytes(600) for first in range(256) for second in range(0, 256, 17)]
    assert [head[:2] for head in heads if key_file(head)] == []


def test_a_card_s_key_is_no_secret() -> None:
    assert key_file(b"(20:shadowed-private-key(3:rsa(1:n257:") is None


def test_words_are_no_secret_of_a_file_that_is_named_for_one() -> None:
    for name, text in {
        "password": "see the manual",
        "token": "${TOKEN}",
        "secret.key": "",
        "api_token.txt": "changeme",
    }.items():
        assert not looked(text.encode(), name).secrets, name


def test_columns_without_secrets_are_none() -> None:
    data = database("create table users (name text, password_hint text, token_type text)", "bob", "my dog", "bearer")
    assert not looked(data, "x.db").secrets
    assert not looked(json.dumps({"hash": "sha256:" + "ab12" * 16}).encode(), "x.json").secrets
