"""Inventories as SPDX 2.3 (spdx.github.io/spdx-spec/v2.3), in one spelling and with no time of its own.

The specification asks for the time when a document was made: it's the one that images have, so that the same inventory
always has the same bytes. The namespace of the document follows from its content.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from cannery import __version__
from cannery.bom.licences import is_expression
from cannery.image.image import canonical_json
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.bom.inventory import Inventory, Item, ItemKind

__all__ = ["SPDX", "spdx"]

SPDX: Final = "application/spdx+json"  # the media type

_CREATED: Final = "1970-01-01T00:00:01Z"
_IMAGE: Final = "SPDXRef-image"
_NONE: Final = "NOASSERTION"
_PURPOSES: Final[Mapping[ItemKind, str]] = {
    "distribution": "LIBRARY",
    "interpreter": "APPLICATION",
    "library": "LIBRARY",
    "package": "LIBRARY",
}


def spdx(inventory: Inventory) -> bytes:
    """The bill of materials of ``inventory`` as JSON, the same bytes for the same inventory."""
    packages = [_image(inventory), *(_package(number, item) for number, item in enumerate(inventory.items, 1))]
    document: dict[str, Any] = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": inventory.name,
        "creationInfo": {"created": _CREATED, "creators": [f"Tool: cannery-{__version__}"]},
        "packages": packages,
        "relationships": [
            _related("SPDXRef-DOCUMENT", "DESCRIBES", _IMAGE),
            *(_related(_IMAGE, "CONTAINS", each["SPDXID"]) for each in packages[1:]),
        ],
    }
    digest = Digest.of(canonical_json(document)).hex
    name = re.sub(r"[^\w.-]+", "-", inventory.name)
    document["documentNamespace"] = f"urn:sha256:{digest}:{name}"
    return canonical_json(document) + b"\n"


def _image(inventory: Inventory) -> dict[str, Any]:
    return _filled(
        {
            "SPDXID": _IMAGE,
            "name": inventory.name,
            "versionInfo": inventory.version,
            "downloadLocation": _NONE,
            "filesAnalyzed": False,
            "primaryPackagePurpose": "CONTAINER",
            "comment": "; ".join(filter(None, (inventory.platform, inventory.system))),
        }
    )


def _package(number: int, item: Item) -> dict[str, Any]:
    left_out = f"modules left out: {' '.join(item.left_out)}" if item.left_out else ""
    return _filled(
        {
            "SPDXID": f"SPDXRef-{number}-{re.sub(r'[^A-Za-z0-9.-]+', '-', item.name)}",
            "name": item.name,
            "versionInfo": item.version,
            "downloadLocation": item.sources[0].address if item.sources else _NONE,
            "filesAnalyzed": False,
            "primaryPackagePurpose": _PURPOSES[item.kind],
            "licenseConcluded": _NONE,
            "licenseDeclared": item.licence if is_expression(item.licence) else _NONE,
            "licenseComments": "" if is_expression(item.licence) else item.licence,
            "copyrightText": _NONE,
            "checksums": [{"algorithm": "SHA256", "checksumValue": item.digest}] if item.digest else [],
            "externalRefs": [
                *_referred("PACKAGE-MANAGER", "purl", item.purl),
                *_referred("SECURITY", "cpe23Type", item.cpe),
            ],
            "sourceInfo": "; ".join(filter(None, (item.origin, *item.paths))),
            "comment": left_out,
        }
    )


def _referred(category: str, kind: str, locator: str) -> list[dict[str, str]]:
    if not locator:
        return []
    return [{"referenceCategory": category, "referenceType": kind, "referenceLocator": locator}]


def _related(one: str, how: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", [])}
