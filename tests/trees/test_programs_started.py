"""Programs that a source starts are named, where constants name them."""

from __future__ import annotations

import ast

import pytest

from cannery.trees.programs_started import programs_started

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("subprocess.run(['git', 'log'])", [("git", 1)]),
        ("from subprocess import check_output as ask\nask('/usr/bin/jq .')", [("jq", 2)]),
        ("os.system('LANG=C ls')", [("ls", 1)]),
        ("subprocess.run([sys.executable, '-m', 'pip'])", []),
        ("subprocess.run(['python3', 'x.py'])", []),
        ("subprocess.run(command)", []),
        ("print(['git', 'log'])", []),
        ("try:\n    subprocess.run(['git'])\nexcept FileNotFoundError:\n    pass", []),
        ("try:\n    subprocess.run(['git'])\nexcept OSError:\n    raise", [("git", 2)]),
    ],
)
def test_programs_are_told_by_constants(source: str, found: list[tuple[str, int]]) -> None:
    assert [*programs_started(ast.parse(source))] == found
