"""Lists of vulnerabilities, as others have them: OSV's records, one or many, and what ``uv audit`` found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from cannery.errors import ConfigurationError
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["AffectedPackage", "Vulnerability", "read_vulnerabilities"]

_DOTTED: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_PLACES: Final = ("imports", "affected_functions", "functions", "symbols", "modules", "affects")  # of names in records
_INNER: Final = ("modules", "module", "path", "functions", "name")  # of names in one of these


class AffectedPackage(NamedTuple):
    """A package that has a vulnerability in some versions."""

    ecosystem: str  # as OSV calls it: "PyPI", "Debian:12"
    name: str
    versions: frozenset[str] = frozenset()  # that are affected; with the ranges empty: any
    ranges: tuple[tuple[str, str, bool], ...] = ()  # from a version to another, and whether that one is affected, too
    modules: tuple[str, ...] = ()  # modules, or functions in them, that have the fault; empty where none are named

    def affects(self, version: str) -> bool:
        """True where ``version`` is affected, and where nobody can tell."""
        if not (self.versions or self.ranges) or version in self.versions:
            return True
        try:
            here = Version(version)
            return any(here == Version(each) for each in self.versions) or any(
                _lies_in(here, *each) for each in self.ranges
            )
        except InvalidVersion:
            return True


class Vulnerability(NamedTuple):
    """A vulnerability, as a list has it."""

    name: str
    aliases: tuple[str, ...]
    modified: str  # when its record was changed (RFC 3339); empty where it doesn't say
    affected: tuple[AffectedPackage, ...]


def read_vulnerabilities(data: bytes, name: str) -> tuple[Vulnerability, ...]:
    """The vulnerabilities in the list ``data``, sorted; ``name`` is for messages.

    That is a record of OSV's (ossf.github.io/osv-schema), a list of such, the answer of its service, the result of
    osv-scanner, or of ``uv audit --output-format json``. Raises :class:`ConfigurationError` for anything else.
    """
    try:
        found = [*_read(json_value(data))]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{name} is no list of vulnerabilities",
            evidence=f"{type(error).__name__}: {error}",
            step="give it OSV's records in JSON, or what this says: uv audit --output-format json",
        ) from error
    return tuple(sorted(dict.fromkeys(found)))


def _read(document: Any) -> Iterator[Vulnerability]:
    if isinstance(document, list):
        for each in document:
            yield from _read(each)
    elif "vulns" in document:
        yield from _read(document["vulns"])
    elif "results" in document:
        for each in document["results"]:
            for package in each["packages"]:
                yield from _read(package.get("vulnerabilities") or [])
    elif "vulnerabilities" in document:
        yield from map(_of_uv, document["vulnerabilities"])
    elif document:  # the service says {} where there is none
        yield _of_osv(document)


def _of_uv(entry: Mapping[str, Any]) -> Vulnerability:
    found = entry["dependency"]
    package = AffectedPackage("PyPI", canonicalize_name(found["name"]), frozenset({str(found["version"])}))
    return Vulnerability(
        str(entry["id"]), tuple(map(str, entry.get("aliases") or ())), str(entry.get("modified") or ""), (package,)
    )


def _of_osv(record: Mapping[str, Any]) -> Vulnerability:
    affected = tuple(_affected(each) for each in record.get("affected") or () if each.get("package"))
    return Vulnerability(
        str(record["id"]), tuple(map(str, record.get("aliases") or ())), str(record.get("modified") or ""), affected
    )


def _affected(entry: Mapping[str, Any]) -> AffectedPackage:
    package = entry["package"]
    ecosystem = str(package["ecosystem"])
    name = str(package["name"])
    named = [*_names(entry.get("ecosystem_specific") or {}), *_names(entry.get("database_specific") or {})]
    return AffectedPackage(
        ecosystem,
        canonicalize_name(name) if ecosystem == "PyPI" else name,
        frozenset(map(str, entry.get("versions") or ())),
        tuple(each for one in entry.get("ranges") or () if one["type"] != "GIT" for each in _ranges(one["events"])),
        tuple(sorted(set(named))),
    )


def _names(specific: Mapping[str, Any]) -> Iterator[str]:
    """The modules and functions that a record names in one of the places where data bases put them."""
    for place in _PLACES:
        for each in _listed(specific.get(place)):
            if isinstance(each, Mapping):
                inner = (str(name) for where in _INNER for name in _listed(each.get(where)))
                yield from filter(_DOTTED.fullmatch, inner)
            elif _DOTTED.fullmatch(str(each)):
                yield str(each)


def _listed(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _ranges(events: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, str, bool]]:
    """The spans of affected versions; an empty end is that of all versions."""
    start: str | None = None
    for event in events:
        if "introduced" in event:
            start = str(event["introduced"])
        elif start is not None and ("fixed" in event or "last_affected" in event):
            yield start, str(event.get("fixed") or event["last_affected"]), "last_affected" in event
            start = None
    if start is not None:
        yield start, "", False


def _lies_in(version: Version, start: str, end: str, through: bool) -> bool:  # noqa: FBT001  # a row of a record
    if start != "0" and version < Version(start):
        return False
    if not end:
        return True
    return version <= Version(end) if through else version < Version(end)
