"""The report of an audit: a table for people, JSON for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cannery.audit.finding import Severity
from cannery.audit.rules.linkage import links

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from cannery.audit.contents import ImageContents
    from cannery.audit.finding import Finding

__all__ = ["AuditReport"]

_COLOURS = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow"}


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
            "readable": {path: list(texts) for path, texts in self.readable.items()},
        }

    def print(self, console: Console) -> None:
        """Print the findings, what can be read where that was asked for, and a line that says how it ends."""
        from rich.markup import escape  # noqa: PLC0415

        if self.findings:
            console.print(self._table())
        for finding in {finding.rule.id: finding for finding in self.failing}.values():
            console.print(f"[bold]{finding.rule.id}[/] {finding.rule.title}: {escape(finding.rule.fix)}")
        for path, texts in self.readable.items():
            console.print(f"\n[bold]{escape(path)}[/]  {len(texts)} texts can be read")
            for text in texts:
                console.print(f"  {escape(text)}")
        for entry in self.unused:
            console.print(f"[yellow]note[/] allow names {escape(entry)}, and nothing asks for that")
        console.print(f"{escape(self.contents.name)}: {self._summary()}")

    def _summary(self) -> str:
        counts = [
            f"{sum(finding.severity == severity for finding in self.findings)} {severity}"
            for severity in reversed(Severity)
            if any(finding.severity == severity for finding in self.findings)
        ]
        found = ", ".join(counts) or "nothing found"
        allowed = f", {len(self.allowed)} allowed" if self.allowed else ""
        return f"{found}{allowed}"

    def _table(self) -> Any:
        from rich import box  # noqa: PLC0415
        from rich.markup import escape  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table("", "rule", box=box.SIMPLE, pad_edge=False)
        table.add_column("what", overflow="fold")
        table.add_column("where", overflow="fold")
        for alike in _grouped(self.findings):
            first = alike[0]
            more = f" and {len(alike) - 1:,} more" if len(alike) > 1 else ""
            table.add_row(
                f"[{_COLOURS.get(first.severity, 'dim')}]{first.severity}[/]",
                first.rule.id,
                escape(f"{first.rule.title}: {first.message}"),
                escape(first.evidence + more + hidden_note(first)),
            )
        return table


def _grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    """The findings in groups: what is said of several files once, and each that is high or worse by itself."""
    groups: dict[object, list[Finding]] = {}
    for finding in findings:
        about = finding.message if finding.severity > Severity.INFO else ""
        alone = finding.severity >= Severity.HIGH
        groups.setdefault(finding if alone else (finding.rule.id, about, finding.hidden), []).append(finding)
    return list(groups.values())


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
        "fix": finding.rule.fix,
    }
