"""Looking at texts."""

from __future__ import annotations

import re
from collections import Counter

from ..models.statistics import Statistics

__all__ = ["statistics_of"]


def statistics_of(text: str, most: int = 3) -> Statistics:
    """The numbers of ``text``; words that come equally often are in the order of the alphabet."""
    words = re.findall(r"\w+", text.casefold())
    ranked = sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))
    return Statistics(sum(map(len, words)), len(words), tuple(word for word, _ in ranked[:most]))
