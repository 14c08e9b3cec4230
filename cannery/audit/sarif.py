"""Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cannery import __version__
from cannery.audit.finding import Severity
from cannery.audit.report import hidden_note

if TYPE_CHECKING:
    from cannery.audit.finding import Finding, Rule
    from cannery.audit.report import AuditReport

__all__ = ["as_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SECURITY = {  # as code hosts sort by it: https://docs.github.com, SARIF support for code scanning
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.0",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}


def as_sarif(report: AuditReport) -> dict[str, Any]:
    """The report as a log of one run; what the configuration allows is in it, marked as suppressed."""
    found = [(finding, False) for finding in report.findings] + [(finding, True) for finding in report.allowed]
    rules = sorted({finding.rule for finding, _ in found}, key=lambda rule: rule.id)
    driver = {"name": "cannery", "version": __version__, "rules": [_rule(rule) for rule in rules]}
    places = {rule.id: index for index, rule in enumerate(rules)}
    results = [_result(finding, places, report.contents.name, allowed=allowed) for finding, allowed in found]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"security-severity": _SECURITY[rule.severity], "tags": ["security"]},
    }


def _result(finding: Finding, places: dict[str, int], image: str, *, allowed: bool) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": f"{image}:{finding.evidence}", "kind": "resource"}]
    }
    if finding.path:
        location["physicalLocation"] = {"artifactLocation": {"uri": _uri(finding.path)}}
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": places[finding.rule.id],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.rule.title}: {finding.message}{hidden_note(finding)}. {finding.rule.fix}"},
        "locations": [location],
    }
    if allowed:
        result["suppressions"] = [{"kind": "external", "justification": "allowed by [tool.cannery.audit]"}]
    return result


def _uri(path: str) -> str:
    """The path relative to the image's root, as RFC 3986 writes it."""
    from urllib.parse import quote  # noqa: PLC0415

    return quote(path.lstrip("/"))
