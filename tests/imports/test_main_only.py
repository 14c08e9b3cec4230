"""Functions that only a module's own command line calls."""

from __future__ import annotations

import ast
import textwrap

import pytest

from cannery.imports.conditions import Conditions
from cannery.imports.main_only import only_for_main
from cannery.imports.model import Host

pytestmark = pytest.mark.once


def only(source: str) -> set[str]:
    tree = ast.parse(textwrap.dedent(source))
    return set(only_for_main(tree, Conditions(tree, Host((3, 11, 0), frozenset()), main=False)))


def test_what_is_called_below_the_guard_and_nowhere_else_is_found_with_what_it_calls() -> None:
    source = """
        def main(): _parse()
        def _parse(): shared()
        def shared(): pass
        def used(): shared()
        used()
        if __name__ == "__main__":
            main()
    """
    assert only(source) == {"main", "_parse"}


@pytest.mark.parametrize(
    "rest",
    ["", "main()", "if x:\n    main()", "if __name__ == '__main__':\n    main()\nelse:\n    main()"],
    ids=["no guard", "called", "called on a condition", "called on the other side"],
)
def test_what_others_may_call_is_not(rest: str) -> None:
    assert only(f"def main(): pass\n{rest}") == set()


def test_a_function_with_a_decorator_is_not() -> None:
    assert only("@task\ndef main(): pass\nif __name__ == '__main__':\n    main()") == set()
