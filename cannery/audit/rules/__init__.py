"""The rules, a theme to a module: each module has its rules and one check, which yields what breaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.audit.rules import age, build_machine, linkage, permissions, programs, secrets, source, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.audit.contents import ImageContents
    from cannery.audit.finding import Finding, Rule

__all__ = ["RULES", "check"]

_THEMES = (source, build_machine, secrets, permissions, programs, start, linkage, age)

RULES: dict[str, Rule] = {rule.id: rule for theme in _THEMES for rule in theme.RULES}


def check(contents: ImageContents) -> list[Finding]:
    """The findings of all rules, the worst first."""
    found: Iterator[Finding] = (finding for theme in _THEMES for finding in theme.check(contents))
    return sorted(found, key=lambda finding: (-finding.severity, finding.rule.id, finding.path, finding.layer or 0))
