"""Command lines are split as a shell does it, as far as that needs none."""

from __future__ import annotations

import subprocess

import pytest

from cannery.project.app import Variable
from cannery.project.shell import NeedsShell, SimpleCommand, shown, simple_command, simple_commands

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "text",
    [
        "gunicorn main:app --workers 2",
        "a 'b c' \"d e\" f\\ g '' \"\"",
        'a "it\'s" \'"\' "\\"" "\\$x" \'$x\' x"y"\'z\'',
        "a \\\n  b\t c # a remark",
        "a#b c=d $ 5$ -k=v,w",
    ],
)
def test_words_are_a_shell_s(text: str) -> None:
    script = f"set -- {text}\nfor word; do printf '%s\\0' \"$word\"; done"
    expected = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.split("\0")[:-1]
    assert list(simple_command(text).words) == expected


def test_variables_stay_variables_with_their_defaults() -> None:
    found = simple_command('serve --bind 0.0.0.0:$PORT "$A-${B:-b c}" ${C-} ${WORKERS:=2}')
    assert found.words == (
        "serve",
        "--bind",
        ("0.0.0.0:", Variable("PORT", "8000")),
        (Variable("A"), "-", Variable("B", "b c")),
        (Variable("C"),),
        (Variable("WORKERS", "2"),),
    )
    assert shown(found.words[:4]) == "serve --bind 0.0.0.0:${PORT:-8000} $A-${B:-b c}"


def test_assignments_before_the_first_word_are_variables_for_it_alone() -> None:
    assert simple_command("A=1 B='x y' C=$D run E=2") == SimpleCommand(
        ("run", "E=2"), (("A", "1"), ("B", "x y"), ("C", (Variable("D"),)))
    )


@pytest.mark.parametrize("text", ["a | b", "a > b", "a &", "a || b", "a `b`", "a $(b)", 'a "$(b)"', "(a)", "a ${b#c}"])
def test_what_only_a_shell_can_do_is_refused(text: str) -> None:
    with pytest.raises(NeedsShell):
        simple_command(text)


def test_commands_one_after_the_other_are_several() -> None:
    assert [each.words for each in simple_commands("a b && c; d\ne")] == [("a", "b"), ("c",), ("d",), ("e",)]
    with pytest.raises(NeedsShell, match="&&"):
        simple_command("a && b")
    with pytest.raises(NeedsShell):
        simple_command(" # nothing")
