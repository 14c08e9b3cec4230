"""One package by one recipe: an image that is built and checked, and what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.corpus.project import PackageProject

__all__ = ["STATES", "State", "Trial", "tried"]

State = Literal["same", "differs", "refused", "crashed", "too slow", "unusable"]
STATES: Final[tuple[State, ...]] = ("same", "differs", "refused", "crashed", "too slow", "unusable")
_SAME: Final = {0, 12}  # a use that fails in both is ours to mend, and no difference
_REFUSED: Final = range(2, 11)
_DIFFERS: Final = 11


@dataclass(frozen=True)
class Trial:
    """What came of a package by a recipe."""

    package: str
    recipe: str
    state: State
    reason: str = ""  # what differs, or why there is no image
    version: str = ""
    asked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # of the build
    failures: tuple[str, ...] = ()  # in both
    seconds: float = 0.0
    commit: str = ""  # of cannery's


def tried(project: PackageProject, recipe: str, cannery: Path, env: Mapping[str, str], patience: float) -> Trial:
    """Build and check the image of ``project``; ``patience`` is how many seconds that may take."""
    command = [str(cannery), "image", "--check", "--json", "--engine", "none", "--recipe", recipe]
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603  # it's the command that is tried
        command, cwd=project.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            output, errors = (each.decode(errors="replace") for each in process.communicate(timeout=patience))
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return Trial(project.package, recipe, "too slow", f"more than {patience:.0f} s", project.version)
    state, reason, report = _outcome(process.returncode, output, errors)
    return Trial(
        project.package,
        recipe,
        state,
        reason,
        project.version,
        project.asked,
        tuple(report.get("notes", ())),
        tuple(what for each in _answers(report) for what in each["failures"]),
        round(time.monotonic() - began, 1),
    )


def _outcome(code: int, output: str, errors: str) -> tuple[State, str, Mapping[str, Any]]:
    if code in _SAME:
        return "same", "", json.loads(output)
    if code == _DIFFERS:
        report = json.loads(output)
        return "differs", "; ".join(_differences(report)), report
    message = errors.rpartition("error: ")[2].strip()
    return ("refused", _first_words(message), {}) if code in _REFUSED else ("crashed", errors.strip()[-600:], {})


def _differences(report: Mapping[str, Any]) -> list[str]:
    """Each difference in one line: ``import: output: image | environment``."""
    return [
        f"{answer['question']}: {each['what']}: {each['image']} | {each['environment']}"
        for answer in _answers(report)
        for each in answer["differences"]
    ]


def _answers(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list((report.get("check") or {}).get("answers", ()))


def _first_words(message: str) -> str:
    """What a message says first, with its first line of evidence."""
    return " | ".join(line.strip() for line in message.splitlines()[:2])[:300]
