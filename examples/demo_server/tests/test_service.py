"""What the service answers, wherever it runs."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def ask(url: str, sent: object = None) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    body = None if sent is None else json.dumps(sent).encode()
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_books_are_in_the_order_of_their_years(url: str) -> None:
    status, answer = ask(f"{url}/books")
    assert status == 200
    assert [book["year"] for book in answer["books"]] == [1818, 1870, 1875, 1898]


def test_books_are_found_by_their_author(url: str) -> None:
    assert len(ask(f"{url}/books?author=verne")[1]["books"]) == 2
    assert ask(f"{url}/books?author=nobody")[1] == {"books": []}


def test_a_book_is_found_by_its_slug(url: str) -> None:
    status, book = ask(f"{url}/books/l-ile-mysterieuse")
    assert status == 200
    assert book == {
        "title": "L'Île mystérieuse", "author": "Jules Verne", "year": 1875, "slug": "l-ile-mysterieuse",
    }  # fmt: skip


def test_a_book_that_is_not_there_is_not_found(url: str) -> None:
    status, answer = ask(f"{url}/books/the-time-machine")
    assert status == 404
    assert "the-time-machine" in answer["message"]


def test_a_text_is_looked_at(url: str) -> None:
    assert ask(f"{url}/text/statistics", {"text": "The sea, the sea!"}) == (
        200,
        {"letters": 12, "words": 4, "most_frequent": ["sea", "the"]},
    )


def test_what_is_no_text_is_refused(url: str) -> None:
    status, answer = ask(f"{url}/text/statistics", ["no", "text"])
    assert status == 400
    assert "text" in answer["message"]


def test_several_workers_answer(url: str) -> None:
    workers: set[int] = set()
    deadline = time.monotonic() + 30  # not all are there when the first one is
    with ThreadPoolExecutor(8) as clients:
        while len(workers) < 2:
            assert time.monotonic() < deadline
            workers |= {answer["worker"] for _, answer in clients.map(ask, [f"{url}/health"] * 100)}
