"""The report of an audit in text: a table of findings, how to mend them, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.audit.finding import Severity
from cannery.audit.report import hidden_note
from cannery.tasks.report.text import styled
from cannery.workspace.streams import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.audit.finding import Finding
    from cannery.audit.report import AuditReport

__all__ = ["AuditText"]

_COLOURS: Final = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow"}


@dataclass(frozen=True, slots=True)
class AuditText:
    """An audit's report, as it is shown."""

    report: AuditReport

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        return self.report.as_json()

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        report = self.report
        if report.findings:
            yield from _table(report.findings)
        for finding in {finding.rule.id: finding for finding in report.failing}.values():
            yield f"{styled(finding.rule.id, 'bold')} {finding.rule.title}: {finding.rule.fix}"
        for path, texts in report.readable.items():
            yield f"\n{styled(path, 'bold')}  {len(texts)} texts can be read"
            yield from (f"  {text}" for text in texts)
        for entry in report.unused:
            yield f"{styled('note', 'yellow')} allow names {entry}, and nothing asks for that"
        yield f"{report.contents.name}: {_summary(report)}"


def _summary(report: AuditReport) -> str:
    """How many findings there are of each severity, the worst first."""
    counts = {severity: sum(each.severity == severity for each in report.findings) for severity in reversed(Severity)}
    found = ", ".join(f"{count} {severity}" for severity, count in counts.items() if count) or "nothing found"
    return f"{found}, {len(report.allowed)} allowed" if report.allowed else found


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    """The table of findings, its columns folded to the width of the terminal, which rich does."""
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("", "rule", box=box.SIMPLE, pad_edge=False)
    table.add_column("what", overflow="fold")
    table.add_column("where", overflow="fold")
    for alike in _grouped(findings):
        first = alike[0]
        more = f" and {len(alike) - 1:,} more" if len(alike) > 1 else ""
        table.add_row(
            f"[{_COLOURS.get(first.severity, 'dim')}]{first.severity}[/]",
            first.rule.id,
            escape(visible(f"{first.rule.title}: {first.message}")),
            escape(visible(first.evidence + more + hidden_note(first))),
        )
    console = Console(highlight=False)
    with console.capture() as captured:
        console.print(table)
    yield from (line.rstrip() for line in captured.get().splitlines())


def _grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    """The findings in groups: those with one message in one, but each that is high or worse by itself."""
    groups: dict[object, list[Finding]] = {}
    for finding in findings:
        about = finding.message if finding.severity > Severity.INFO else ""
        alone = finding.severity >= Severity.HIGH
        groups.setdefault(finding if alone else (finding.rule.id, about, finding.hidden), []).append(finding)
    return list(groups.values())
