"""Licences of distributions, as their metadata tell them: by PEP 639, or as it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["is_expression", "licence_of"]

# The classifiers that mean one licence alone, by what they end in (pypi.org/classifiers)
_CLASSIFIERS: Final[Mapping[str, str]] = {
    "Apache Software License": "Apache-2.0",
    "BSD Zero Clause License": "0BSD",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "zlib/libpng License": "Zlib",
}
_LONGEST: Final = 100  # characters: some have the licence's whole text there


def licence_of(metadata: Mapping[str, Sequence[str]]) -> str:
    """The licence that the core ``metadata`` of a distribution tell, its fields in lower case; empty where none.

    That is an expression by SPDX where they have one, or say it in words that stand for one.
    """
    for field in ("license-expression", "license"):
        for text in metadata.get(field, ()):
            if found := _canonical(text):
                return found
    named = [each for each in metadata.get("classifier", ()) if each.startswith("License ::")]
    names = [each.rpartition("::")[2].strip() for each in named]
    if len(names) == 1 and names[0] in _CLASSIFIERS:  # several don't tell whether all hold, or any
        return _CLASSIFIERS[names[0]]
    words = next(iter(metadata.get("license", ())), "").strip()
    if words and "\n" not in words and len(words) <= _LONGEST and words != "UNKNOWN":
        return words
    return ", ".join(names)


def is_expression(text: str) -> bool:
    """True for an expression by SPDX, in its usual spelling."""
    return _canonical(text) == text != ""


def _canonical(text: str) -> str:
    try:
        return canonicalize_license_expression(text.strip())
    except InvalidLicenseExpression:
        return ""
