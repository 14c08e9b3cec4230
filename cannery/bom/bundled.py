"""What wheels bring along of others, as bills of materials in them say (PEP 770), and what of that is still there."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from cannery.bom.inventory import Item
from cannery.bom.licences import is_expression
from cannery.bom.purls import read_purl
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

__all__ = ["bundled_in", "still_there"]

_LIBRARY: Final = re.compile(r"(?:^|.*/)[^/]+\.libs/(?P<file>[^/]+)")
_ELF: Final = re.compile(r".*\.so(?:\.[\d.]+)?(?:\.xz)?")
_WHEELS: Final = "pypi"  # the type of purls that name the wheel itself, or another


def bundled_in(bom: str, owner: str) -> Iterator[Item]:
    """The items that a document, CycloneDX or SPDX in JSON, lists besides the wheel of ``owner`` itself.

    Nothing comes of a text that is neither.
    """
    try:
        document = json_value(bom)
        listed = [*_of_cyclonedx(document), *_of_spdx(document)]
    except (ValueError, LookupError, TypeError, AttributeError):
        return
    for name, version, purl, licence in listed:
        if _type_of(purl) != _WHEELS and name:
            yield Item("library", name, version, purl, licence, origin=f"bundled by {owner}")


def _of_cyclonedx(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for each in document.get("components") or ():
        licences = [_licence(one) for one in each.get("licenses") or ()]
        licence = licences[0] if len(licences) == 1 else ""
        yield str(each["name"]), str(each.get("version") or ""), str(each.get("purl") or ""), licence


def _licence(given: Mapping[str, Any]) -> str:
    inner = given.get("license") or {}
    return str(given.get("expression") or inner.get("id") or inner.get("name") or "")


def _of_spdx(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for each in document.get("packages") or ():
        purls = [
            one["referenceLocator"] for one in each.get("externalRefs") or () if one.get("referenceType") == "purl"
        ]
        licence = str(each.get("licenseDeclared") or "")
        yield (
            str(each["name"]),
            str(each.get("versionInfo") or ""),
            str(next(iter(purls), "")),
            licence if is_expression(licence) and licence != "NOASSERTION" else "",
        )


def _type_of(purl: str) -> str:
    found = read_purl(purl)
    return found.type if found else ""


def still_there(bundled: tuple[Item, ...], record: Iterable[str], files: Collection[str]) -> tuple[Item, ...]:
    """Those of ``bundled`` whose libraries lie among ``files``, the ones that are left of those in a ``record``.

    What is linked into extension modules is there as long as one of these is. A library tells by its name alone which
    component it's of: where some are gone, those components go that are called like one of them and like none that
    is left.
    """
    if not any(_ELF.fullmatch(path) for path in files):
        return ()
    there = {found["file"].removesuffix(".xz") for path in files if (found := _LIBRARY.fullmatch(path))}
    gone = {found["file"] for path in record if (found := _LIBRARY.fullmatch(path))} - there
    return tuple(item for item in bundled if not _is_called(item, gone) or _is_called(item, there))


def _is_called(item: Item, libraries: Iterable[str]) -> bool:
    name = re.sub(r"^lib|-libs$", "", item.name.lower())
    stems = (posixpath.basename(each).lower().removeprefix("lib") for each in libraries)
    return any(re.match(rf"{re.escape(name)}(?![a-z])", stem) for stem in stems)
