"""The report of ``invoke verify``: who signed, what it was built from, whether the same comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.tasks.report.difference import difference_lines, image_as_json
from cannery.tasks.report.text import aligned, human_size, styled
from cannery.trust.keyless import SigstoreIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.recipes.verify import VerifiedImage
    from cannery.trust.bundle import Signatory

__all__ = ["CheckedReport"]


def _by_whom(who: Signatory) -> dict[str, str]:
    """Who signed, in JSON's types."""
    if isinstance(who, SigstoreIdentity):
        return {"identity": who.name, "issuer": who.issuer}
    return {"key": who.name, "hint": who.hint}


def _signature(who: Signatory | None) -> str:
    match who:
        case None:
            return "none was asked for (--key)"
        case SigstoreIdentity():
            return f"by {who.name}, as {who.issuer} knows them"
        case _:
            return f"by {who.name}, whose hint is {who.hint}"


@dataclass(frozen=True, slots=True)
class CheckedReport:
    """What was found out about an image, and how long that took."""

    found: VerifiedImage
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; sizes are bytes."""
        found, provenance, made = self.found, self.found.provenance, self.found.rebuilt
        source = provenance.source if provenance else None
        return {
            "reference": found.reference,
            "signed_by": _by_whom(found.by) if found.by else None,
            "blobs": found.blobs,
            "blobs_size": found.bytes,
            "commit": source.commit if source else None,
            "repository": (source.repository or None) if source else None,
            "proven": found.proven,
            "built": sorted(map(str, made.digests)) if made else [],
            "notes": list(made.notes) if made else [],
            "differences": [image_as_json(each) for each in found.differences],
            "seconds": round(self.seconds, 3),
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        yield styled(self.found.reference, "bold")
        yield from aligned(self._rows())
        for each in self.found.differences:
            yield from difference_lines(each)

    def _rows(self) -> Iterator[Sequence[str]]:
        found, provenance, made = self.found, self.found.provenance, self.found.rebuilt
        yield "signature", _signature(found.by)
        yield "blobs", f"{found.blobs}, {human_size(found.bytes)}, each as its digest says"
        if provenance is not None and provenance.source is not None:
            where = f" of {provenance.source.repository}" if provenance.source.repository else ""
            said = "" if found.by else ", as somebody says who signed nothing"
            yield "built from", f"commit {provenance.source.commit}{where}{said}"
        if made is not None:
            same = "the same, to the byte" if found.proven else "another image"
            platforms = ", ".join(str(each.platform) for each in made.images)
            yield "built again", f"for {platforms}: {same}"
            yield from (("note", note) for note in made.notes if not found.proven)
        yield "took", f"{self.seconds:.1f} s"
