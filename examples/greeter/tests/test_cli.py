"""What the program prints, in whatever form it runs."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys


def greeter(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program: the one that GREETER names, or else the module."""
    command = shlex.split(os.environ.get("GREETER", "")) or [sys.executable, "-m", "greeter"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def test_it_greets_the_world() -> None:
    assert greeter("hello").stdout == "Hello, world!\n"


def test_it_greets_by_name_and_loudly() -> None:
    assert greeter("hello", "--name=Zoë", "--loud").stdout == "HELLO, ZOË!\n"


def test_it_counts_letters() -> None:
    assert greeter("count", "alice", "bob").stdout == "alice: 5\nbob:   3\n"


def test_its_help_comes_from_the_docstrings() -> None:
    done = greeter("hello", "--help")
    assert done.returncode == 0
    assert "Greet somebody by name; loudly, if wanted." in done.stdout + done.stderr


def test_an_unknown_command_is_an_error() -> None:
    done = greeter("goodbye")
    assert done.returncode == 2
    assert "goodbye" in done.stderr
