"""The texts of the setting ``check`` become questions."""

from __future__ import annotations

import pytest

from cannery.check.question import Call, Requests, Url, called, questions, served
from cannery.errors import ConfigurationError

pytestmark = pytest.mark.once


def test_a_text_is_arguments_as_a_shell_has_them() -> None:
    assert questions(["--name 'A B'", ""]) == (Call(("--name", "A B")), Call(()))
    assert questions(["sqlite://", "--url http://x"]) == (Call(("sqlite://",)), Call(("--url", "http://x")))


def test_all_addresses_are_asked_of_one_start_after_the_calls() -> None:
    urls = (Url("http://:8000/health?deep=1", 8000, "/health?deep=1"), Url("http://localhost:8001", 8001, "/"))
    assert questions([urls[0].text, "--version", urls[1].text]) == (Call(("--version",)), Requests(urls))


def test_words_may_begin_with_another_command_of_the_image() -> None:
    assert questions(["migrate --plan", "--version"], ["migrate"]) == (
        Call(("--plan",), "migrate"),
        Call(("--version",)),
    )
    assert str(called(["migrate", "a b"], ["migrate"])) == "migrate 'a b'"


def test_a_server_that_nobody_asks_anything_is_asked_whether_it_answers() -> None:
    assert served(8000) == Requests((Url("http://:8000/", 8000, "/"),), vital=False)


@pytest.mark.parametrize("text", ["https://:8000/", "http://example.com/", "http://:99999/", "--name 'A"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="check = "):
        questions([text])
