"""The report of an audit: its findings, and those that close the gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cannery.audit.rules.age import components_in
from cannery.audit.rules.linkage import links

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cannery.audit.contents import ImageContents
    from cannery.audit.finding import Finding, Severity

__all__ = ["AuditReport", "hidden_note"]


@dataclass(frozen=True)
class AuditReport:
    """The findings on an image, and the severity that closes the gate."""

    contents: ImageContents
    findings: Sequence[Finding]  # those that the configuration doesn't allow
    allowed: Sequence[Finding]
    unused: Sequence[str]  # entries of [tool.cannery.audit] allow that no finding matches
    fail_on: Severity | None  # findings as bad or worse close the gate; None: nothing does
    readable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # path of an app's file -> texts in it

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that close the gate."""
        if self.fail_on is None:
            return ()
        return tuple(finding for finding in self.findings if finding.severity >= self.fail_on)

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        return {
            "image": self.contents.name,
            "passed": not self.failing,
            "fail_on": str(self.fail_on) if self.fail_on is not None else "never",
            "findings": [_as_json(finding) for finding in self.findings],
            "allowed": [_as_json(finding) for finding in self.allowed],
            "links": {soname: list(paths) for soname, paths in sorted(links(self.contents).items())},
            "components": [
                {"name": each.name, "version": each.version, "changed": each.changed, "paths": list(paths)}
                for each, paths in components_in(self.contents).items()
            ],
            "readable": {path: list(texts) for path, texts in self.readable.items()},
        }


def hidden_note(finding: Finding) -> str:
    """The note on a file that containers don't see; empty for one that they see."""
    return f" (in layer {(finding.layer or 0) + 1}; a later one hides it)" if finding.hidden else ""


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.rule.id,
        "severity": str(finding.severity),
        "title": finding.rule.title,
        "message": finding.message,
        "path": finding.path,
        "layer": finding.layer,
        "hidden": finding.hidden,
        "secret": finding.secret,
        "line": finding.line,
        "fix": finding.rule.fix,
    }
