"""Which of many vulnerabilities can be in an image: what is not there can't be, and the inventory is the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from cannery.bom.purls import purl_of, read_purl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.bom.inventory import Inventory, Item
    from cannery.bom.vulnerabilities import AffectedPackage, Vulnerability

__all__ = ["Assessment", "Status", "assessed"]

Status = Literal["not_affected", "under_investigation"]

_PYTHON: Final = frozenset({"cpython", "python"})
_SYSTEMS: Final = {"Debian": "deb", "Ubuntu": "deb", "Alpine": "apk"}  # OSV's ecosystems -> types of purls


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the inventory of an image says of a vulnerability in one of its parts."""

    vulnerability: Vulnerability
    part: str  # the purl of what would have it
    status: Status
    evidence: str


def assessed(vulnerabilities: Iterable[Vulnerability], inventory: Inventory) -> Iterator[Assessment]:
    """An assessment of each of ``vulnerabilities`` for each part of the image that would have it."""
    for each in vulnerabilities:
        if not each.affected:
            yield Assessment(each, "", "under_investigation", "the list names no package that has it")
        for package in each.affected:
            yield from _of_package(each, package, inventory)


def _of_package(found: Vulnerability, package: AffectedPackage, inventory: Inventory) -> Iterator[Assessment]:
    kind = "pypi" if package.ecosystem == "PyPI" else _SYSTEMS.get(package.ecosystem.partition(":")[0], "")
    is_python = package.name.lower() in _PYTHON and kind == ""
    if not (kind or is_python):
        why = f"no inventory is made of packages of {package.ecosystem}"
        yield Assessment(found, f"{package.ecosystem}:{package.name}", "under_investigation", why)
        return
    items = inventory.of_kind("interpreter") if is_python else _named(package.name, kind, inventory)
    for item in items:
        yield _of_item(found, package, item)
    if not items:
        purl = purl_of("generic" if is_python else kind, package.name, namespace="debian" if kind == "deb" else "")
        what = {"pypi": "distributions", "": "interpreters"}.get(kind, "packages")
        count = len(inventory.of_kind("distribution" if kind == "pypi" else "interpreter" if is_python else "package"))
        yield Assessment(
            found, purl, "not_affected", f"{package.name} is not in the image, among whose {count} {what} it would be"
        )


def _named(name: str, kind: str, inventory: Inventory) -> tuple[Item, ...]:
    """The items that come from the package ``name``: themselves, or built from a source package of that name."""
    if kind == "pypi":
        return tuple(item for item in inventory.of_kind("distribution") if item.name == name)
    return tuple(item for item in inventory.items if item.purl and _comes_from(item, name, kind))


def _comes_from(item: Item, name: str, kind: str) -> bool:
    purl = read_purl(item.purl)
    return (
        purl is not None
        and purl.type == kind
        and name in {purl.name, purl.qualifiers.get("upstream", "").partition(" ")[0]}
    )


def _of_item(found: Vulnerability, package: AffectedPackage, item: Item) -> Assessment:
    part = item.purl
    named = f"{item.name} {item.version}"
    if item.kind in {"distribution", "interpreter"} and not package.affects(item.version):
        return Assessment(found, part, "not_affected", f"{named} is none of the affected versions")
    if item.bare:
        why = f"{named} has left its metadata in the image, and none of its modules: nothing imports them"
        return Assessment(found, part, "not_affected", why)
    there = [module for module in package.modules if not item.lacks(module)]
    if package.modules and not there:
        listed = ", ".join(package.modules)
        why = f"{named} is in the image without what has it: {listed} (modules that nothing imports were left out)"
        return Assessment(found, part, "not_affected", why)
    why = f"{named} is in the image" + (f", and in it {', '.join(there)}" if there else "")
    return Assessment(found, part, "under_investigation", why)
