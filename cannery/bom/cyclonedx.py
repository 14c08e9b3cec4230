"""Inventories as CycloneDX 1.6 (cyclonedx.org, ECMA-424), in one spelling and with neither a time nor a random number.

The serial number follows from the content, so that the same inventory always has the same one.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from cannery.bom.inventory import BuiltFrom, Inventory, Item
from cannery.bom.licences import is_expression
from cannery.bom.purls import read_purl
from cannery.errors import ImageError
from cannery.image.image import canonical_json
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.bom.inventory import ItemKind

__all__ = ["CYCLONEDX", "cyclonedx", "inventory_of_cyclonedx"]

CYCLONEDX: Final = "application/vnd.cyclonedx+json"  # the media type

_TYPES: Final[Mapping[ItemKind, str]] = {
    "distribution": "library",
    "interpreter": "application",
    "library": "library",
    "package": "library",
}
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/schema/bom-1.6.schema.json")
_SYSTEMS: Final = frozenset({"apk", "deb"})  # types of purls: scanners look for their names in a system's lists
_SOURCE: Final = "aquasecurity:trivy:SrcName"  # by which trivy looks: it doesn't read that from a purl
_KIND: Final = "cannery:kind"
_NAME: Final = "cannery:name"
_ORIGIN: Final = "cannery:origin"
_LEFT_OUT: Final = "cannery:modules-left-out"
_BARE: Final = "cannery:metadata-alone"
_PATH: Final = "cannery:path"
_SYSTEM: Final = "cannery:system"
_SYSTEM_TYPE: Final = "operating-system"
_PLATFORM: Final = "cannery:platform"


def cyclonedx(inventory: Inventory) -> bytes:
    """The bill of materials of ``inventory`` as JSON, the same bytes for the same inventory."""
    about = {
        "type": "container",
        "bom-ref": "image",
        "name": inventory.name,
        "version": inventory.version,
        "properties": _properties((_PLATFORM, inventory.platform), (_SYSTEM, inventory.system)),
    }
    components = [*_system(inventory), *(_component(item, reference) for reference, item in _referred(inventory))]
    bom: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": about},
        "components": components,
        "dependencies": [{"ref": "image", "dependsOn": [each["bom-ref"] for each in components]}],
    }
    serial = uuid.uuid5(_NAMESPACE, canonical_json(bom).decode())
    return canonical_json({**bom, "serialNumber": serial.urn}) + b"\n"


def _referred(inventory: Inventory) -> Iterator[tuple[str, Item]]:
    """The items with names by which the document refers to them, no two the same."""
    seen: dict[str, int] = {}
    for item in inventory.items:
        name = item.purl or f"{item.kind}:{item.name}@{item.version}"
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}#{seen[name]}", item


def _system(inventory: Inventory) -> Iterator[dict[str, Any]]:
    """The distribution that packages are of, without which scanners can't tell what is known of them.

    It's the image's own; of one that has none, the one that all is from that was taken from a distribution.
    """
    purls = (read_purl(item.purl) for item in inventory.items)
    distros = {distro for purl in purls if purl and (distro := purl.qualifiers.get("distro"))}
    name, _, version = inventory.system.partition(" ")
    if not name and len(distros) == 1:
        name, _, version = distros.pop().partition("-")
    if name:
        yield {"type": _SYSTEM_TYPE, "bom-ref": "system", "name": name, "version": version}


def _component(item: Item, reference: str) -> dict[str, Any]:
    purl = read_purl(item.purl)
    title = purl.name if purl and purl.type in _SYSTEMS else item.name
    found: dict[str, Any] = {
        "type": _TYPES[item.kind],
        "bom-ref": reference,
        "name": title,
        "version": item.version,
        "purl": item.purl,
        "cpe": item.cpe,
        "hashes": [{"alg": "SHA-256", "content": item.digest}] if item.digest else [],
        "licenses": [_licence(item.licence)] if item.licence else [],
        "externalReferences": [_source(each) for each in item.sources],
        "properties": _properties(
            (_KIND, item.kind),
            (_NAME, item.name if item.name != title else ""),
            (_SOURCE, purl.qualifiers.get("upstream", "") if purl else ""),
            (_ORIGIN, item.origin),
            *((_PATH, path) for path in item.paths),
            (_LEFT_OUT, " ".join(item.left_out)),
            (_BARE, "true" if item.bare else ""),
        ),
    }
    return {name: value for name, value in found.items() if value}


def _licence(licence: str) -> dict[str, Any]:
    return {"expression": licence} if is_expression(licence) else {"license": {"name": licence}}


def _source(archive: BuiltFrom) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": archive.sha256}]
    return {"type": "source-distribution", "url": archive.address, "hashes": hashes}


def _properties(*named: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in named if value]


def inventory_of_cyclonedx(data: bytes) -> Inventory:
    """The inventory that :func:`cyclonedx` wrote; raises :class:`ImageError` for any other document."""
    try:
        bom = json_value(data)
        about = bom["metadata"]["component"]
        named = _by_name(about)
        items = tuple(_item(each) for each in bom["components"] if each["type"] != _SYSTEM_TYPE)
        return Inventory(about["name"], about["version"], named[_PLATFORM][0], items, _first(named, _SYSTEM))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ImageError("a bill of materials in the image is none of cannery's", evidence=repr(error)) from error


def _item(component: Mapping[str, Any]) -> Item:
    named = _by_name(component)
    (licence,) = component.get("licenses") or [{}]
    (digest,) = component.get("hashes") or [{"content": ""}]
    kind: ItemKind = named[_KIND][0]  # type: ignore[assignment]  # only the known ones have a type
    return Item(
        kind if kind in _TYPES else "library",
        _first(named, _NAME) or component["name"],
        component.get("version", ""),
        component.get("purl", ""),
        licence.get("expression") or (licence.get("license") or {}).get("name", ""),
        digest["content"],
        tuple(named.get(_PATH, ())),
        _first(named, _ORIGIN),
        component.get("cpe", ""),
        tuple(_first(named, _LEFT_OUT).split()),
        tuple(
            BuiltFrom(each["url"], each["hashes"][0]["content"]) for each in component.get("externalReferences") or ()
        ),
        bare=_BARE in named,
    )


def _by_name(component: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in component.get("properties") or ():
        found.setdefault(str(each["name"]), []).append(str(each["value"]))
    return found


def _first(named: Mapping[str, list[str]], name: str) -> str:
    return named.get(name, [""])[0]
