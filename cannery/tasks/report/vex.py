"""The report of ``invoke vex``: what can be said of each vulnerability, one a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.tasks.report.text import aligned, styled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.bom.reach import Assessment

__all__ = ["VexReport"]


@dataclass(frozen=True, slots=True)
class VexReport:
    """Assessments of vulnerabilities in an image."""

    image: str
    assessments: tuple[Assessment, ...]

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        return {
            "image": self.image,
            "assessments": [
                {
                    "vulnerability": each.vulnerability.name,
                    "aliases": list(each.vulnerability.aliases),
                    "part": each.part,
                    "status": each.status,
                    "evidence": each.evidence,
                }
                for each in self.assessments
            ],
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        absent = sum(each.status == "not_affected" for each in self.assessments)
        rest = len(self.assessments) - absent
        rows = [(each.vulnerability.name, each.status.replace("_", " "), each.evidence) for each in self.assessments]
        yield from aligned(rows)
        yield f"{styled(self.image, 'bold')}  {absent:,} not affected, {rest:,} under investigation"
