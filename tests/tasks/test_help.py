"""The help of a command, as people read it."""

from __future__ import annotations

import subprocess
import sys

import pexpect
import pytest

from cannery.tasks.help import columns, option, paragraphs, usage

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("spec", "printed"),
    [
        ("--recipe=STRING", "--recipe=RECIPE"),
        ("--cache-from=STRING", "--cache-from=CACHE-FROM"),
        ("--base[=STRING]", "--base[=BASE]"),
        ("--json", "--json"),
        ("-f", "-f"),
    ],
)
def test_an_option_is_printed_with_the_name_of_what_it_takes(spec: str, printed: str) -> None:
    assert option(spec) == printed


def test_how_a_command_is_typed() -> None:
    assert usage("cannery", "image", [], words="") == "Usage: cannery image [--OPTIONS]"
    assert usage("cannery", "run", [], words="ARGS") == "Usage: cannery run [--OPTIONS] [-- ARGS]"
    assert usage("cannery", "diff", ["before", "after"], words="") == "Usage: cannery diff BEFORE AFTER [--OPTIONS]"


def test_paragraphs_are_as_wide_as_the_terminal_and_what_is_indented_stays() -> None:
    text = "one two three four five six\nseven\n\n  example   --flag\n\neight"
    assert paragraphs(text, 20) == "one two three four\nfive six seven\n\n  example   --flag\n\neight"
    assert max(map(len, paragraphs("word " * 100, 300).splitlines())) <= 100


def test_values_in_the_help_of_an_option_are_not_broken_at_their_hyphens() -> None:
    rows = [("--base=BASE", "Base image: oci:DIR or docker-archive:FILE."), ("--json", "")]
    assert columns(rows, 48).splitlines() == [
        "  --base=BASE   Base image: oci:DIR or",
        "                docker-archive:FILE.",
        "  --json",
    ]
    assert max(map(len, columns([("--issuer=ISSUER", "https://token.actions.example.com")], 40).splitlines())) < 40


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80])
def test_no_line_of_help_is_wider_than_the_terminal(width: int) -> None:
    for command in ([], ["image"], ["diff"], ["push"]):
        child = pexpect.spawn(
            sys.executable, ["-m", "cannery", *command, "--help"], encoding="utf-8", dimensions=(40, width)
        )
        printed = child.read()
        assert [line for line in printed.splitlines() if len(line) > width] == []


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["--list"], ["image", "--help"], ["--version"]])
def test_a_reader_that_has_seen_enough_gets_no_traceback(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "cannery", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.slow
def test_a_misspelt_command_with_help_is_told_as_one_without() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cannery", "imge", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no command 'imge'\n  did you mean 'image'?\n")
