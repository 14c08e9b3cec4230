"""Requirements and versions as PEP 508 and PEP 440 have them; the usual ones are told without a parser.

packaging, which knows all of it, takes a tenth of the time of a build in which nothing has changed to import.
"""

from __future__ import annotations

import re
from typing import Final

from cannery.errors import ConfigurationError

__all__ = ["allows", "complaint_about"]

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_VERSIONS: Final = r"(?:[<>]=?|[=!]=)[0-9]+(?:\.[0-9]+)*"
# All that these match is a requirement, or a version specifier; there are others.
_REQUIREMENT: Final = re.compile(rf"{_NAME}(?:\[{_NAME}(?:,{_NAME})*\])?(?:{_VERSIONS}(?:,{_VERSIONS})*)?")
_AT_LEAST: Final = re.compile(r">=\s*([0-9]+(?:\.[0-9]+)*)")


def complaint_about(requirement: str) -> str:
    """What is wrong with a requirement; empty where nothing is."""
    if _REQUIREMENT.fullmatch(requirement):
        return ""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415

    try:
        Requirement(requirement)
    except InvalidRequirement as error:
        return str(error)
    return ""


def allows(requires_python: str, version: str) -> bool:
    """True where ``requires-python`` allows ``version``, which is a release: ``3.11.2``.

    Raises :class:`ConfigurationError` for one that is no version specifier.
    """
    plain = _AT_LEAST.fullmatch(requires_python)
    if not requires_python or (plain and _numbers(version) >= _numbers(plain[1])):
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415

    try:
        return SpecifierSet(requires_python).contains(version, prereleases=True)
    except InvalidSpecifier as error:
        raise ConfigurationError(
            f"requires-python = {requires_python!r} is no version specifier",
            evidence=str(error),
            step='write it as in  requires-python = ">=3.11"',
        ) from error


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
