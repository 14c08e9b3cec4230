"""Answers compared: that of an image with that of a virtual environment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from cannery.check.facts import ERRORS, facts_of, failures_of
from cannery.check.text import first_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cannery.check.answer import ProgramAnswer
    from cannery.check.question import Question

__all__ = ["Comparison", "Difference", "Verdict", "compare"]

Verdict = Literal["same", "fails", "differs"]

_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """The first lines that differ in one thing."""

    what: str  # "exit code", "output", "status of http://:8000/"
    image: str
    environment: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers to one question."""

    question: Question
    image: ProgramAnswer
    environment: ProgramAnswer
    differences: tuple[Difference, ...]
    failures: tuple[tuple[str, bool], ...]  # of both: what is wrong, and whether the program works all the same
    lacking: tuple[str, ...] = ()  # programs that it starts in the environment, and that the image hasn't

    @property
    def verdict(self) -> Verdict:
        """``differs``; else ``fails`` where the program does, in the environment as well; else ``same``."""
        if self.differences:
            return "differs"
        return "fails" if any(vital for _, vital in self.failures) else "same"


def compare(
    question: Question,
    image: Callable[[], ProgramAnswer],
    environment: Callable[[], ProgramAnswer],
    names: Iterable[str] = (),
) -> Comparison:
    """Compare what an image answers to ``question`` with what an environment answers.

    Both are asked once, the environment first. Where they differ, the environment is asked once more, later than the
    image. What a program that ends with 0 says besides its output hangs on the moment often (what two threads log): it
    differs where it does in three rounds.

    ``names`` are those that the program goes by in one of the two places only.
    """
    names = tuple(names)
    expected, made = environment(), image()
    found = _differences(question, made, expected, environment, names)
    for _ in range(_ROUNDS - 1):
        if not (_succeeded(made, expected) and [each.what for each in found] == [ERRORS]):
            break
        expected, made = environment(), image()
        found = _differences(question, made, expected, environment, names)
    return Comparison(question, made, expected, found, tuple(failures_of(question, expected)))


def _differences(
    question: Question,
    image: ProgramAnswer,
    environment: ProgramAnswer,
    again: Callable[[], ProgramAnswer],
    names: tuple[str, ...],
) -> tuple[Difference, ...]:
    second = cache(lambda: facts_of(question, again(), names))
    there = facts_of(question, image, names)
    pairs = (
        (what, first_difference(there[what], lines, lambda what=what: second()[what]))  # type: ignore[misc]
        for what, lines in facts_of(question, environment, names).items()
    )
    return tuple(Difference(what, found.image, found.environment) for what, found in pairs if found is not None)


def _succeeded(*answers: ProgramAnswer) -> bool:
    return all(each.exit_code == 0 for each in answers)
