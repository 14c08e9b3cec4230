"""Texts are compared as people would: what differs in every container or at every run doesn't count."""

from __future__ import annotations

import pytest

from cannery.check.text import Differing, first_difference, plain_errors, plain_lines

pytestmark = pytest.mark.once


def differing(image: str, *environment: str) -> Differing | None:
    """The first difference; the environment says one thing after the other, and the last again and again."""
    said = iter(environment[1:])
    return first_difference(
        plain_lines(image), plain_lines(environment[0]), lambda: plain_lines(next(said, environment[-1]))
    )


@pytest.mark.parametrize(
    ("image", "environment"),
    [
        ("read /app/data/x.json", "read /home/ann/project/data/x.json"),
        ("usage: main.pyc [-h]", "usage: main.py [-h]"),
        ("usage: tool [-h]\n  [--name]\n", "usage: tool [-h] [--name]\n\n"),
    ],
)
def test_where_a_program_lies_and_how_lines_are_filled_does_not_count(image: str, environment: str) -> None:
    assert differing(image, environment) is None


@pytest.mark.parametrize(
    ("image", "environment"),
    [
        ("found 3 plugins", "found 4 plugins"),
        ("GET http://localhost:8000/a", "GET http://localhost:8000/b"),
        ("done", ""),
        ("", "done"),
        ("3/4", "3/5"),
    ],
)
def test_what_stays_the_same_in_the_environment_counts(image: str, environment: str) -> None:
    assert differing(image, environment) is not None


def test_numbers_that_change_from_run_to_run_do_not_count() -> None:
    assert differing("pid 7 at 0x7f01\nok", "pid 81 at 0x7f55\nok", "pid 82 at 0x7fe0\nok") is None


def test_groups_of_a_uuid_may_have_no_digit() -> None:
    """As one in some twelve has not, which would make every twelfth check of a program that prints them fail."""
    image, *environment = (
        "85d0f30c-feed-4d1d-9c5e-0cf9af6c8b5d",
        "1f0ec3a1-2b3c-4a0d-8bad-7b50628f7319",
        "77ffb2d0-3e9a-4c1c-8ead-6f4a8a9f0e2c",
    )
    assert differing(image, *environment) is None
    assert differing("key deadbeef", "key facade00", "key 0badcafe") is None


def test_all_else_counts_where_numbers_change() -> None:
    found = differing("pid 7\nno plugins", "pid 81\n4 plugins", "pid 82\n4 plugins")
    assert found == Differing("no plugins", "4 plugins")


def test_of_lines_that_come_and_go_those_count_that_stay() -> None:
    assert differing("b\na", "a\nb\nx", "b\na\ny") is None
    assert differing("b", "a\nb\nx", "b\na\ny") == Differing("(nothing more)", "a")


def test_lines_of_source_in_tracebacks_and_warnings_do_not_count() -> None:
    image = 'Traceback (most recent call last):\n  File "/app/main.py", line 1, in <module>\nKeyError: 1\n'
    environment = image.replace("KeyError", "    {}[1]\n    ~~^^^\nKeyError").replace("/app", "/home/ann")
    assert plain_errors(image) == plain_errors(environment)


def test_a_program_may_go_by_another_name() -> None:
    assert plain_lines("usage: tool [-h]", ["tool", "main.py"]) == plain_lines(
        "usage: main.py [-h]", ["tool", "main.py"]
    )
    assert plain_lines("usage: toolbox", ["tool"]) == ["usage: toolbox"]
