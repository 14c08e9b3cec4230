"""Results that outlive a run: a line of JSON each, the last one counts."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from benchmarks.corpus.trial import Trial

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Results"]


class Results:
    """The trials in a file, which grows while they are made; whoever starts again goes on where it ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        made = [msgspec.json.decode(line, type=Trial) for line in lines]
        self._trials = {(trial.package, trial.recipe): trial for trial in made}

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The last trial of each package by each recipe."""
        return tuple(self._trials.values())

    def has(self, package: str, recipe: str) -> bool:
        """True if the package was tried by the recipe."""
        return (package, recipe) in self._trials

    def add(self, trial: Trial) -> None:
        """Keep a trial, in the file at once."""
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(f"{msgspec.json.encode(trial).decode()}\n")
            self._trials[trial.package, trial.recipe] = trial
