"""Package URLs (github.com/package-url/purl-spec), by which scanners know what something is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packageurl import PackageURL

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["purl_of", "read_purl"]


def purl_of(
    kind: str, name: str, version: str = "", *, namespace: str = "", qualifiers: Mapping[str, str] | None = None
) -> str:
    """The purl of that type; empty for what can't have one, such as a thing without a name."""
    given = {key: value for key, value in (qualifiers or {}).items() if value}
    try:
        return str(PackageURL(kind, namespace or None, name, version or None, given))
    except ValueError:
        return ""


def read_purl(text: str) -> PackageURL | None:
    """The parts of a purl; None for a text that is none."""
    try:
        return PackageURL.from_string(text)
    except ValueError:
        return None
