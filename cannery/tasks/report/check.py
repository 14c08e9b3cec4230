"""The report of a check: each question with what came of it, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.check.advice import advice
from cannery.errors import DifferenceError, ProgramError
from cannery.tasks.report.text import styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.check.answer import ProgramAnswer
    from cannery.check.compare import Comparison, Difference
    from cannery.recipes.check import Checked

__all__ = ["CheckReport"]

_WORDS: Final = {"same": "same", "fails": "fails in both", "differs": "differs"}
_SHOWN: Final = 8  # differences or failures of one question


@dataclass(frozen=True, slots=True)
class CheckReport:
    """An image that was asked."""

    checked: Checked

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        return {
            "name": self.checked.app.name,
            "recipe": self.checked.app.settings.recipe,
            "runner": self.checked.runner,
            "answers": [_as_json(each) for each in self.checked.comparisons],
        }

    def close(self) -> None:
        """Raise :class:`DifferenceError` where answers differ, :class:`ProgramError` where both are failures."""
        name = self.checked.app.references[0]
        differing = [each for each in self.checked.comparisons if each.verdict == "differs"]
        if differing:
            first = differing[0]
            told = first.differences[0]
            raise DifferenceError(
                f"{name} does not do what a virtual environment does: {told.what}",
                evidence=f"image:        {told.image}\nenvironment:  {told.environment}",
                step=advice(first),
            )
        failing = [each for each in self.checked.comparisons if each.verdict == "fails"]
        if failing:
            raise ProgramError(
                f"the program fails in {name}, and in a virtual environment as well",
                evidence="\n".join(
                    [*(what for what, vital in failing[0].failures if vital), *_end(failing[0].environment)]
                ),
                step="mend the program, its requirements or what it is asked: the image does what it does",
            )

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        app = self.checked.app
        yield f"{styled(app.references[0], 'bold')}  {app.settings.recipe}, run by {self.checked.runner}"
        for each in self.checked.comparisons:
            yield f"{_WORDS[each.verdict]:<14} {each.question}"
            yield from _first_of([line for difference in each.differences for line in _difference(difference)], 3)
            yield from _first_of([f"  in both: {what}" for what, _ in each.failures])


def _difference(difference: Difference) -> tuple[str, str, str]:
    return (
        f"  {difference.what}",
        f"    image:        {difference.image}",
        f"    environment:  {difference.environment}",
    )


def _first_of(lines: Sequence[str], each: int = 1) -> Iterator[str]:
    """The first of many, each of as many lines, and the number of the others."""
    yield from lines[: _SHOWN * each]
    if (more := len(lines) // each - _SHOWN) > 0:
        yield f"  and {more} more (--json has all)"


def _end(answer: ProgramAnswer) -> list[str]:
    """The last line that a program wrote of its errors."""
    return answer.errors.strip().splitlines()[-1:]


def _as_json(comparison: Comparison) -> dict[str, Any]:
    question = comparison.question
    return {
        "question": str(question),
        "verdict": comparison.verdict,
        "differences": [
            {"what": each.what, "image": each.image, "environment": each.environment} for each in comparison.differences
        ],
        "failures": [what for what, _ in comparison.failures],
        "advice": advice(comparison) if comparison.differences else None,
        "image": _answer_as_json(comparison.image),
        "environment": _answer_as_json(comparison.environment),
    }


def _answer_as_json(answer: ProgramAnswer) -> dict[str, Any]:
    return {
        "exit_code": answer.exit_code,
        "output": answer.output,
        "errors": answer.errors,
        "responses": [{"url": each.url, "status": each.status, "body": each.body} for each in answer.responses],
        "imports": {
            name: f"{each.error}: {each.message}" if each.error else None for name, each in answer.imports.items()
        },
    }
