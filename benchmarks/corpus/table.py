"""The results of the corpus as Markdown: how many packages do the same by each recipe, and why the others do not."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from benchmarks.corpus.trial import STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.corpus.trial import Trial

__all__ = ["BEGIN", "END", "as_markdown"]

BEGIN, END = "<!-- corpus: made by python -m benchmarks --only corpus -->", "<!-- end of corpus -->"
_WIDE: Final = 160  # characters of a reason


def as_markdown(trials: Sequence[Trial]) -> str:
    """The two tables; packages that can't be installed on this machine at all stand in neither."""
    usable = [trial for trial in trials if trial.state != "unusable"]
    recipes = list(dict.fromkeys(trial.recipe for trial in usable))
    return "\n".join((*_summary(usable, recipes), "", *_others(usable), "", _tried(usable)))


def _summary(trials: Sequence[Trial], recipes: Iterable[str]) -> Iterator[str]:
    states = [state for state in STATES if state != "unusable"]
    yield f"| recipe | packages | {' | '.join(states)} | with a use | of those the same |"
    yield f"|---|{'---:|' * (len(states) + 3)}"
    for recipe in recipes:
        own = [trial for trial in trials if trial.recipe == recipe]
        counts = Counter(trial.state for trial in own)
        used = [trial for trial in own if "use" in trial.asked]
        same = sum(trial.state == "same" for trial in used)
        numbers = [len(own), *(counts[state] for state in states), len(used), same]
        yield f"| `{recipe}` | {' | '.join(map(str, numbers))} |"


def _tried(trials: Iterable[Trial]) -> str:
    """The commits of cannery that the trials were made with, and how many of them with each."""
    commits = Counter(trial.commit or "unknown" for trial in trials)
    return f"Trials by commit: {', '.join(f'{number} of `{commit}`' for commit, number in sorted(commits.items()))}."


def _others(trials: Iterable[Trial]) -> Iterator[str]:
    """Whatever isn't the same, with its reason; one line for recipes that have the same one."""
    alike: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for trial in trials:
        if trial.state != "same":
            alike[trial.package, trial.state, _short(trial.reason)].append(f"`{trial.recipe}`")
    yield "| package | recipe | what | why |"
    yield "|---|---|---|---|"
    for (package, state, reason), recipes in sorted(alike.items()):
        yield f"| {package} | {', '.join(recipes)} | {state} | {reason} |"


def _short(reason: str) -> str:
    """A reason in one cell, without paths of the machine that it was found on."""
    text = re.sub(r"(?<![\w:])/(?:[\w.+-]+/)+", "", " ".join(reason.split()))
    text = text if len(text) <= _WIDE else f"{text[:_WIDE]}…"
    return text.replace("|", "\\|").replace("<", "&lt;")
