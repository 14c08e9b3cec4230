"""Programs and libraries that are known by name, as data bases of vulnerabilities call them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.bom.inventory import BuiltFrom, Item
from cannery.bom.purls import purl_of
from cannery.python.distribution.suites import debian_release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.bom.inventory import ItemKind

__all__ = ["built_from_source", "software"]


class _Known(NamedTuple):
    """What something is called elsewhere."""

    name: str  # in purls
    vendor: str  # in CPEs (nvd.nist.gov/products/cpe)
    product: str
    licence: str


_KNOWN: Final[Mapping[str, _Known]] = {
    "Python": _Known("python", "python", "python", "PSF-2.0"),
    "OpenSSL": _Known("openssl", "openssl", "openssl", "Apache-2.0"),
    "SQLite": _Known("sqlite", "sqlite", "sqlite", "blessing"),
    "glibc": _Known("glibc", "gnu", "glibc", "LGPL-2.1-or-later"),
    "musl": _Known("musl", "musl-libc", "musl", "MIT"),
    "libffi": _Known("libffi", "libffi_project", "libffi", "MIT"),
    "zlib": _Known("zlib", "zlib", "zlib", "Zlib"),
    "bzip2": _Known("bzip2", "bzip", "bzip2", "bzip2-1.0.6"),
    "xz": _Known("xz", "tukaani", "xz", "0BSD"),
    "zstd": _Known("zstd", "facebook", "zstandard", "BSD-3-Clause"),
}


def software(
    name: str,
    version: str,
    *,
    paths: tuple[str, ...] = (),
    digest: str = "",
    origin: str = "",
    kind: ItemKind = "library",
    left_out: tuple[str, ...] = (),
    sources: tuple[BuiltFrom, ...] = (),
    packaged: bool = False,
) -> Item:
    """The item of a program or a library.

    One that a distribution has ``packaged``, as many versions tell, gets no CPE: what its makers have mended in a later
    version the distribution may have mended in this.
    """
    packaged = packaged or re.search(r"[-+~]", version) is not None
    known = _KNOWN.get(name, _Known(name.lower(), "", "", ""))
    purl = purl_of("generic", known.name, version)
    cpe = f"cpe:2.3:a:{known.vendor}:{known.product}:{_escaped(version)}:*:*:*:*:*:*:*" if known.vendor else ""
    return Item(
        kind,
        known.name,
        version,
        purl,
        known.licence,
        digest,
        paths,
        origin,
        "" if packaged or not version else cpe,
        left_out,
        sources,
    )


def built_from_source(
    name: str, version: str, program: str, archives: Iterable[tuple[str, str]], debian: str = ""
) -> Item:
    """The item of what was built from ``archives``, addresses with their SHA-256, and linked into ``program``.

    Where Debian's fixes were applied, ``debian`` names its source package: "openssl=3.5.7-1~deb13u2". By that name
    data bases of vulnerabilities know which are mended.
    """
    kind: ItemKind = "interpreter" if name == "Python" else "library"
    sources = tuple(BuiltFrom(*each) for each in archives)
    made = software(name, version, kind=kind, paths=(program,), origin="built from source", sources=sources)
    if not debian:
        return made
    package, _, full = debian.partition("=")
    release = debian_release(full)
    qualifiers = {"arch": "source", **({"distro": f"debian-{release}"} if release else {})}
    return replace(
        made,
        purl=purl_of("deb", package, full, namespace="debian", qualifiers=qualifiers),
        origin="built from Debian's source",
    )


def _escaped(version: str) -> str:
    """A version as a CPE has it (NIST IR 7695, 5.3.2): what is no letter, digit, dot or hyphen has a backslash."""
    return "".join(each if each.isalnum() or each in "._-" else f"\\{each}" for each in version)
