"""Answers compared: that of an image with that of a virtual environment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from cannery.check.facts import facts_of, failures_of
from cannery.check.text import first_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cannery.check.answer import ProgramAnswer
    from cannery.check.question import Question

__all__ = ["Comparison", "Difference", "Verdict", "compare"]

Verdict = Literal["same", "fails", "differs"]


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
    image: ProgramAnswer,
    environment: ProgramAnswer,
    again: Callable[[], ProgramAnswer],
    names: Iterable[str] = (),
) -> Comparison:
    """Compare two answers to ``question``; ``again`` asks the environment once more, and is called at most once.

    ``names`` are those that the program goes by in one of the two places only.
    """
    names = tuple(names)
    second = cache(lambda: facts_of(question, again(), names))
    found = tuple(_differences(facts_of(question, image, names), facts_of(question, environment, names), second))
    return Comparison(question, image, environment, found, tuple(failures_of(question, environment)))


def _differences(
    image: dict[str, list[str]], environment: dict[str, list[str]], again: Callable[[], dict[str, list[str]]]
) -> Iterator[Difference]:
    for what, lines in environment.items():
        found = first_difference(image[what], lines, lambda what=what: again()[what])  # type: ignore[misc]
        if found is not None:
            yield Difference(what, found.image, found.environment)
