"""What the API answers, wherever it runs."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest


def get(url: str) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    try:
        with urllib.request.urlopen(url) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_it_returns_a_number_within_the_limits(url: str) -> None:
    numbers = set()
    for _ in range(200):
        status, answer = get(f"{url}/number?lower=-1&upper=1")
        assert (status, answer["lower"], answer["upper"]) == (200, -1, 1)
        numbers.add(answer["number"])
    assert numbers == {-1, 0, 1}


def test_it_has_limits_of_its_own(url: str) -> None:
    status, answer = get(f"{url}/number")
    assert status == 200
    assert 1 <= answer["number"] <= 100
    assert (answer["lower"], answer["upper"]) == (1, 100)


def test_equal_limits_leave_one_number(url: str) -> None:
    assert get(f"{url}/number?lower=7&upper=7")[1]["number"] == 7


@pytest.mark.parametrize(
    ("query", "reason"),
    [("lower=2&upper=1", "lower is 2"), ("lower=one", "must be an integer"), ("upper=1.5", "must be an integer")],
)
def test_bad_limits_are_refused_with_the_reason(url: str, query: str, reason: str) -> None:
    status, answer = get(f"{url}/number?{query}")
    assert status == 400
    assert reason in answer["description"]


def test_several_workers_answer(url: str) -> None:
    workers: set[int] = set()
    deadline = time.monotonic() + 30  # not all are there when the first one is
    with ThreadPoolExecutor(8) as clients:
        while len(workers) < 2:
            assert time.monotonic() < deadline
            workers |= {answer["worker"] for _, answer in clients.map(get, [f"{url}/health"] * 100)}


def test_what_is_not_there_is_not_found(url: str) -> None:
    assert get(f"{url}/numbers")[0] == 404
