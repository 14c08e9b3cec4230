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
    """A fault that the audit looks for."""

    id: str  # CAN101
    severity: Severity
    title: str  # the fault in a few words
    fix: str  # the next step


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule, and the place in an image that breaks it."""

    rule: Rule
    message: str
    path: str = ""  # in the image; empty where the configuration is meant
    layer: int | None = None  # counted from 0
    hidden: bool = False  # a later layer deletes or replaces the file, and its own still has it
    secret: str = ""  # the kind of secret in a file: github-token
    line: int = 0  # counted from 1; 0 where there are no lines

    @property
    def severity(self) -> Severity:
        """The severity of its rule."""
        return self.rule.severity

    @property
    def evidence(self) -> str:
        """The path, or words for the configuration."""
        return self.path or "the image's configuration"
