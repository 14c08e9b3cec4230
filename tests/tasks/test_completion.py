"""What a shell completes behind a flag."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from cannery.audit.finding import Severity
from cannery.containers.engine.discovery import Choice
from cannery.project.flags import FLAGS
from cannery.recipes.named import RECIPES
from cannery.tasks.completion import VALUES, values_for

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "line",
    ["cannery image --recipe", "cannery image --recipe ", "cannery image --recipe ti", "cannery image --recipe = ti"],
)
def test_values_are_those_of_the_last_flag(line: str) -> None:
    assert values_for(line) == FLAGS["recipe"].values


@pytest.mark.parametrize("line", ["", "cannery image --strip", "cannery image --recipe tiny --tag", 'cannery run -- "'])
def test_other_ends_have_none(line: str) -> None:
    assert values_for(line) == ()


def test_the_values_are_those_that_the_flags_take() -> None:
    assert sorted(VALUES["recipe"]) == sorted(RECIPES)
    assert sorted(VALUES["fail-on"]) == sorted([*map(str, Severity), "never"])
    assert sorted(VALUES["engine"]) == sorted(get_args(Choice))


@pytest.mark.slow
def test_a_shell_gets_them() -> None:
    command = [sys.executable, "-m", "cannery", "--complete", "--", "cannery image --recipe "]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(FLAGS["recipe"].values)
