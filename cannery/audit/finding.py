"""A rule, and what it found: an ID that the configuration can allow, how bad it is, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Finding", "Rule", "Severity"]


class Severity(IntEnum):
    """How bad a finding is; a higher one is worse."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for."""

    id: str  # CAN101
    severity: Severity
    title: str  # what is the matter, in a few words
    fix: str  # the next step


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that something in the image breaks."""

    rule: Rule
    message: str
    path: str = ""  # in the image; empty where the configuration is meant
    layer: int | None = None  # counted from 0
    hidden: bool = False  # a later layer deletes or replaces the file, and its own still has it

    @property
    def severity(self) -> Severity:
        """The rule's."""
        return self.rule.severity

    @property
    def evidence(self) -> str:
        """Where it is."""
        return self.path or "the image's configuration"
