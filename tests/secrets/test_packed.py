"""Archives of whoever: however they unpack, looking into them ends, in time and in memory."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannery.secrets.budget import Budget
from cannery.secrets.commands import secret_in_command
from cannery.secrets.encoded import encoding_of
from cannery.secrets.search import SecretSearch
from tests.support.key_documents import CONFIG, nested, tarred, zipped
from tests.support.planted import LEAKS

if TYPE_CHECKING:
    from cannery.secrets.search import Looked

pytestmark = pytest.mark.once

CHUNK = 1 << 18


def looked(data: bytes, name: str = "file", budget: Budget | None = None) -> Looked:
    stream = io.BytesIO(data)
    return SecretSearch(name, budget or Budget()).through(stream.read(CHUNK), stream)


def test_where_a_secret_lies_is_told_from_the_outside_in() -> None:
    (secret,) = looked(nested(), "deep.tgz").secrets
    assert secret.within == ("deep.tar", "a/inner.zip", "b.txt.gz", "b.txt")
    assert secret.told == "a token of GitHub, in b.txt, in b.txt.gz, in a/inner.zip, in deep.tar"


def test_what_unpacks_to_more_than_the_budget_is_told_and_not_read_on() -> None:
    budget = Budget(left=1 << 22)
    found = looked(gzip.compress(bytes(1 << 26)), budget=budget)
    assert found.is_partial
    assert -CHUNK <= budget.left <= 0


def test_a_file_takes_nothing_of_another_s_budget_but_what_it_unpacks() -> None:
    budget = Budget(left=1 << 22)
    assert looked(gzip.compress(CONFIG), budget=budget).secrets
    assert not looked(gzip.compress(CONFIG), budget=budget).is_partial


def test_a_bomb_takes_no_memory() -> None:
    bomb = gzip.compress(gzip.compress(bytes(1 << 26)))
    tracemalloc.start()
    try:
        looked(zipped(("a", bomb), ("b", bomb)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_an_archive_that_holds_itself_ends() -> None:
    data = CONFIG
    for _ in range(30):
        data = gzip.compress(data)
    found = looked(data)
    assert found.is_partial
    assert not found.secrets


def test_what_is_packed_as_deep_as_may_be_is_whole() -> None:
    data = CONFIG
    for _ in range(5):
        data = gzip.compress(data)
    found = looked(data)
    assert found.secrets
    assert not found.is_partial


def test_a_zip_archive_with_a_huge_directory_is_not_read() -> None:
    archive = bytearray(zipped(("conf.toml", CONFIG)))
    end = archive.rfind(b"PK\5\6")
    archive[end + 12 : end + 16] = b"\xff\xff\xff\x7f"
    assert looked(bytes(archive)).is_partial


def test_many_members_are_looked_at_up_to_a_number() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(30):
            archive.writestr(f"{number}.txt", b"x")
        archive.writestr("last.toml", CONFIG)
    budget = Budget()
    search = SecretSearch("a.zip", budget)
    budget.for_file = lambda: setattr(budget, "members", 30)  # type: ignore[method-assign]
    found = search.through(out.getvalue(), io.BytesIO())
    assert found.is_partial
    assert not found.secrets


def test_a_member_that_is_encrypted_hides_no_other() -> None:
    archive = bytearray(zipped(("a.txt", b"x" * 50), ("conf.toml", CONFIG)))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        archive[archive.find(mark) + flags] |= 1
    assert looked(bytes(archive)).secrets


def test_a_damaged_archive_is_looked_at_up_to_the_damage() -> None:
    whole = tarred("conf.toml", CONFIG)[:1024] + tarred("x", b"y")[:700]
    assert looked(gzip.compress(whole)).secrets
    assert not looked(gzip.compress(whole)[:40]).secrets


def test_an_encoding_is_told_by_its_mark_or_its_zeros() -> None:
    text = "password = 'x' and more of it"
    found = [encoding_of(text.encode(name)) for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8")]
    assert found == ["utf-16", "utf-16-le", "utf-16-be", "utf-32", ""]


@pytest.mark.parametrize(
    "text",
    [
        b"users:", b"kind: Secret\n", b"[client", b'"terraform_version": "1" ', b"http://", b"http://a:b", b"pass ",
        b"eyJ", b"sk-T3BlbkFJ", b"-----BEGIN PRIVATE " + b"KEY-----A", b"Authorization: Bearer ", b"A" * 30 + b"\n",
        b"\n     ", b"ghp" + b"_", b"users:\n clusters token:",
    ],
)  # fmt: skip
def test_what_is_there_over_and_over_takes_no_time(text: bytes) -> None:
    """Patterns that begin everywhere and end nowhere."""
    looked(text * (300_000 // len(text)))
    assert secret_in_command((text * (300_000 // len(text))).decode()) in {None, secret_in_command(text.decode() * 9)}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([leak.data for leak in LEAKS if leak.data and len(leak.data) < 20_000]), st.data())
def test_whatever_a_file_says_looking_at_it_ends(content: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(content)))
    noise = data.draw(st.binary(max_size=20))
    looked(content[:place] + noise + content[place + len(noise) :])
    looked(content[:place])
