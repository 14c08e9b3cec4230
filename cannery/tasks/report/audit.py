"""The report of an audit in text: a table of findings, how to mend them, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.audit.finding import Severity
from cannery.audit.report import hidden_note
from cannery.tasks.report.sbom import InventoryReport
from cannery.tasks.report.text import styled
from cannery.tasks.report.vex import VexReport
from cannery.workspace.invocation import program_name
from cannery.workspace.streams import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cannery.audit.finding import Finding
    from cannery.audit.report import AuditReport
    from cannery.bom.inventory import Inventory, ItemKind
    from cannery.bom.reach import Assessment

__all__ = ["AuditText"]

_KINDS: Final[Mapping[ItemKind, str]] = {  # with their plurals, in the order of their names
    "distribution": "distributions",
    "library": "libraries",
    "package": "packages",
}
_COLOURS: Final = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow"}


@dataclass(frozen=True, slots=True)
class AuditText:
    """An audit's report, as it is shown."""

    report: AuditReport
    inventory: Inventory | None = None  # of the same image
    known: tuple[Assessment, ...] | None = None  # of vulnerabilities in it; None where nobody named a list
    unlisted: str = ""  # why there is no inventory, where one was tried

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        found = self.report.as_json()
        if self.inventory is not None:
            found["inventory"] = InventoryReport(self.inventory).as_json()
        if self.known is not None:
            found["vulnerabilities"] = VexReport(found["image"], self.known).as_json()["assessments"]
        return found

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
        if self.known is not None:
            yield from VexReport(report.contents.name, self.known).lines()
        if self.inventory is not None:
            yield f"it holds {_counted(self.inventory)}"
        if self.unlisted:
            yield f"{styled('note', 'yellow')} what it holds isn't listed: {self.unlisted}"
        yield f"{report.contents.name}: {_summary(report)}"


def _counted(inventory: Inventory) -> str:
    """How many things of each kind there are, and which Python."""
    numbers = {kind: len(inventory.of_kind(kind)) for kind in _KINDS}
    found = [f"{number} {kind if number == 1 else _KINDS[kind]}" for kind, number in numbers.items()]
    pythons = [f"Python {item.version}" for item in inventory.of_kind("interpreter")]
    system = f" of {inventory.system}" if inventory.system and numbers["package"] else ""
    return f"{', '.join([*pythons, *found])}{system} ({program_name()} sbom lists them)"


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
