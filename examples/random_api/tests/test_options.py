"""How the server is told where to listen."""

from __future__ import annotations

import pytest

from random_api.options import Options, read_options


def test_there_are_defaults() -> None:
    assert read_options([], {}) == Options("0.0.0.0", 8000, 2)  # noqa: S104  # in a container


def test_the_command_line_beats_the_environment() -> None:
    environ = {"RANDOM_API_PORT": "9000", "RANDOM_API_HOST": "::1"}
    assert read_options(["--port=9001", "--workers=4"], environ) == Options("::1", 9001, 4)


@pytest.mark.parametrize("arguments", [["--port=80"], ["--port=high"], ["--workers=0"], ["--port=70000"]])
def test_what_can_not_be_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(arguments, {})
    assert arguments[0].partition("=")[2] in capsys.readouterr().err


def test_so_is_a_wrong_variable() -> None:
    with pytest.raises(SystemExit):
        read_options([], {"RANDOM_API_PORT": "80"})
