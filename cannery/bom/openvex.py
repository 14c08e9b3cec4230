"""Assessments as OpenVEX 0.2.0 (github.com/openvex/spec), in one spelling and with no time of its own.

The specification asks for a time: it's that of the newest record in the list of vulnerabilities, so that the same list
and the same image always have the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cannery.bom.purls import purl_of
from cannery.image.image import canonical_json
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.bom.reach import Assessment

__all__ = ["OPENVEX", "openvex"]

OPENVEX: Final = "application/vnd.openvex+json"  # the media type

_CONTEXT: Final = "https://openvex.dev/ns/v0.2.0"
_NEVER: Final = "1970-01-01T00:00:01Z"
_JUSTIFICATION: Final = "vulnerable_code_not_present"


def openvex(assessments: Iterable[Assessment], image: str, digest: str | None = None, repository: str = "") -> bytes:
    """The statements of ``assessments`` on the image called ``image``, with the ``digest`` of its manifest.

    ``repository`` is where it lies in a registry: scanners know images by that.
    """
    qualifiers = {"repository_url": repository} if repository else {}
    product = purl_of("oci", image.rpartition("/")[2], digest or "", qualifiers=qualifiers)
    found = [*assessments]
    changed = max((each.vulnerability.modified for each in found), default="")
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "author": "cannery",
        "role": "Image builder",
        "timestamp": changed or _NEVER,
        "version": 1,
        "statements": [_statement(each, product) for each in found],
    }
    name = f"urn:sha256:{Digest.of(canonical_json(document)).hex}"
    return canonical_json({"@id": name, **document}) + b"\n"


def _statement(assessment: Assessment, product: str) -> Mapping[str, Any]:
    vulnerability = assessment.vulnerability
    parts = [{"@id": assessment.part}] if assessment.part else []
    statement: dict[str, Any] = {
        "vulnerability": {"name": vulnerability.name, "aliases": list(vulnerability.aliases)},
        "products": [{"@id": product, "subcomponents": parts}],
        "status": assessment.status,
    }
    if assessment.status == "not_affected":
        return {**statement, "justification": _JUSTIFICATION, "impact_statement": assessment.evidence}
    return {**statement, "status_notes": assessment.evidence}
