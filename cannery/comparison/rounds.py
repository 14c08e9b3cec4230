"""Programs started in turns, so that a slow moment of the machine meets all of them alike."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cannery.comparison.asking import NO_ANSWER, FirstAnswer, Probe, ask
from cannery.comparison.load import SECONDS
from cannery.comparison.measurement import Lack, Running, Spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cannery.comparison.launch import Launch
    from cannery.workspace.workspace import Workspace

__all__ = ["LOADED", "run_in_rounds"]

LOADED: Final = 3  # rounds with many requests, the last ones


def run_in_rounds(
    launches: Mapping[str, Launch], probe: Probe, rounds: int, patience: float, workspace: Workspace, reference: str
) -> dict[str, Running | Lack]:
    """How each of ``launches`` runs, by name, or why it doesn't: ``reference`` shows how it should.

    One start of each comes first and doesn't count; who answers otherwise than the reference takes no part.
    """
    first = {}
    for name, launch in launches.items():
        workspace.progress(f"starting {name}")
        first[name] = ask(launch, probe, patience, workspace.run)
    expected = first[reference].outcome
    found: dict[str, Running | Lack] = {
        name: _lack(answer, expected) for name, answer in first.items() if not _fits(answer, expected)
    }
    taking_part = [name for name in launches if name not in found]
    answers: dict[str, list[FirstAnswer]] = defaultdict(list)
    for number in range(rounds):
        load = number >= rounds - LOADED
        for name in _turned(taking_part, number):
            workspace.progress(f"round {number + 1} of {rounds}: {name}")
            answers[name].append(ask(launches[name], probe, patience, workspace.run, load=load))
    return {**found, **{name: _summed(each, expected) for name, each in answers.items()}}


def _turned(names: Sequence[str], number: int) -> list[str]:
    """``names`` beginning with another one in each round, so that none always comes behind the same."""
    shift = number % len(names) if names else 0
    return [*names[shift:], *names[:shift]]


def _fits(answer: FirstAnswer, expected: str) -> bool:
    return answer.outcome == expected != NO_ANSWER


def _lack(answer: FirstAnswer, expected: str) -> Lack:
    if answer.last_line.startswith('["'):  # as background.py tells that the machine lets no container start
        what, evidence, step = json.loads(answer.last_line)
        return Lack("run", f"{what}: {evidence}" if evidence else what, step)
    said = f": {answer.last_line}" if answer.last_line else ""
    if expected == NO_ANSWER:
        return Lack("run", f"there's no answer in a virtual environment either{said}", "ask something else: --probe")
    return Lack("run", f"{answer.outcome}, and {expected} in a virtual environment{said}", "invoke check tells more")


def _summed(answers: Sequence[FirstAnswer], expected: str) -> Running | Lack:
    wrong = next((answer for answer in answers if not _fits(answer, expected)), None)
    if wrong is not None:
        return _lack(wrong, expected)
    loads = [answer.load for answer in answers if answer.load is not None]
    failed = sum(load.failed for load in loads)
    if failed:
        many = f"{failed} requests of {failed + round(sum(load.rate * SECONDS for load in loads))} failed"
        return Lack("run", many, "ask for something that can be had often: --probe")
    return Running(
        Spread(tuple(answer.seconds for answer in answers)),
        _spread([answer.idle for answer in answers]),
        _spread([answer.loaded for answer in answers if answer.load]),
        _spread([load.rate for load in loads]),
        any(load.busy for load in loads),
    )


def _spread(values: Sequence[float | None]) -> Spread | None:
    known = tuple(value for value in values if value is not None)
    return Spread(known) if known else None
