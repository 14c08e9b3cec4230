"""The sample behaves as users of python-fire expect."""

from __future__ import annotations

import subprocess
import sys

import polars as pl
import pytest

from my_project import cli
from tests.support.repository import ROOT


def run_main(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python main.py`` as a user does."""
    command = [sys.executable, "main.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_hello_greets_the_world_when_no_name_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    cli.say_hello()
    assert capsys.readouterr().out == "Hello, world!\n"


def test_hello_greets_by_name() -> None:
    done = run_main("say-hello", "--name", "alice")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello, alice!\n", "")


def test_deps_are_the_version_of_polars_that_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    cli.show_deps()
    assert capsys.readouterr().out == f"polars {pl.__version__}\n"


def test_deps_are_a_command() -> None:
    assert run_main("show-deps").stdout == f"polars {pl.__version__}\n"


def test_hello_does_not_load_polars() -> None:
    program = "import sys; from my_project import cli; cli.say_hello(); sys.exit('polars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0


def test_no_arguments_list_the_commands() -> None:
    done = run_main()
    assert done.returncode == 0
    assert "show_deps" in done.stdout
    assert "say_hello" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--help"], "say_hello"),
        (["show-deps", "--help"], "Print the version of polars"),
        (["say-hello", "--help"], "Whom to greet."),
    ],
)
def test_help_tells_what_a_command_does(arguments: list[str], said: str) -> None:
    done = run_main(*arguments)
    assert done.returncode == 0
    assert said in done.stderr  # where fire writes it


def test_an_unknown_command_is_an_error_that_lists_the_commands() -> None:
    done = run_main("say-goodbye")
    assert done.returncode == 2
    assert "show_deps | say_hello" in done.stderr
