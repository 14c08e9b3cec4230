"""The distributions that a Python can come from: their archives, the keys that sign them, and their suites."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError, did_you_mean
from cannery.workspace.keys import package_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.image.platform import Platform

__all__ = [
    "DISTRIBUTIONS",
    "Distribution",
    "Pocket",
    "Suite",
    "debian_architecture",
    "debian_release",
    "parse_suite",
    "suite_with",
]

_KEYS: Final = package_file("python/distribution/keyrings")
_NO_PORTS: Final = frozenset({"amd64", "i386"})  # architectures that Ubuntu has in its main archive

# Where Debian's name of an architecture is another than Go's (deb-arch(7), dpkg's table of ports).
_ARCHITECTURES: Final = {"arm": "armhf", "386": "i386", "ppc64le": "ppc64el"}


@dataclass(frozen=True, slots=True)
class Pocket:
    """A part of a suite with a signature of its own: the release as it was, updates, security updates."""

    archive: str  # the name of the archive that it lies in
    address: str  # of the folder that holds the archive's dists/ and pool/
    name: str  # the folder in dists/: trixie, trixie-updates, trixie-security
    components: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution of .deb packages, and how its archives are laid out."""

    name: str
    keyring: Path  # OpenPGP certificates; one of them must have signed a list of packages
    pythons: Mapping[str, str]  # the suite that has each minor version of Python as its own

    archives: Mapping[str, str]  # addresses by the names that the setting mirrors has for them
    components: tuple[str, ...]
    snapshots: str | None = None  # the address of all that its archives ever held, by date

    def pockets(self, suite: str, architecture: str, mirrors: Mapping[str, str]) -> tuple[Pocket, ...]:
        """The pockets of ``suite``, the release itself first; ``mirrors`` take the place of archives by their names."""
        ports = self.name == "ubuntu" and architecture not in _NO_PORTS
        main = "ubuntu-ports" if ports else self.name
        security = f"{self.name}-security" if f"{self.name}-security" in self.archives else main
        folders = ((main, suite), (main, f"{suite}-updates"), (security, f"{suite}-security"))
        return tuple(
            Pocket(archive, self.address(archive, mirrors), name, self.components) for archive, name in folders
        )

    def address(self, archive: str, mirrors: Mapping[str, str]) -> str:
        """The address of an archive."""
        return mirrors.get(archive, self.archives[archive]).rstrip("/")

    def past(self, archive: str, date: str, mirrors: Mapping[str, str]) -> str | None:
        """The address of an archive as it was on ``date``, as ``20261127T093000Z``; None where nobody keeps that."""
        if self.snapshots is None:
            return None
        return f"{mirrors.get(f'{self.name}-snapshot', self.snapshots).rstrip('/')}/{archive}/{date}"


DISTRIBUTIONS: Final = {
    "debian": Distribution(
        "debian",
        _KEYS / "debian.gpg",
        {"3.11": "bookworm", "3.13": "trixie", "3.14": "forky"},
        {"debian": "http://deb.debian.org/debian", "debian-security": "http://deb.debian.org/debian-security"},
        ("main",),
        "http://snapshot.debian.org/archive",
    ),
    "ubuntu": Distribution(
        "ubuntu",
        _KEYS / "ubuntu.gpg",
        {"3.12": "noble"},
        {"ubuntu": "http://archive.ubuntu.com/ubuntu", "ubuntu-ports": "http://ports.ubuntu.com/ubuntu-ports"},
        ("main", "universe"),
    ),
}


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite of a distribution: ``debian:trixie``."""

    distribution: Distribution
    name: str

    def __str__(self) -> str:
        return f"{self.distribution.name}:{self.name}"


def parse_suite(text: str) -> Suite | None:
    """The suite that ``text`` names; None where it begins with no distribution's name.

    Raises :class:`ConfigurationError` where it names a distribution and no suite.
    """
    name, _, suite = text.partition(":")
    distribution = DISTRIBUTIONS.get(name)
    if distribution is None:
        return None
    known = tuple(distribution.pythons.values())
    if not suite.isalnum() or suite != suite.lower():
        raise ConfigurationError(
            f"runtime = {text!r} names no suite of {name}",
            evidence=did_you_mean(suite, known),
            step=f'name one, as in  runtime = "{name}:{known[-1]}"',
        )
    return Suite(distribution, suite)


def suite_with(minor: str) -> Suite | None:
    """The suite whose own Python has the version ``minor``, as ``3.13``; None where no suite here has it."""
    for distribution in DISTRIBUTIONS.values():
        if minor in distribution.pythons:
            return Suite(distribution, distribution.pythons[minor])
    return None


def debian_architecture(platform: Platform) -> str:
    """Debian's name of an architecture: ``amd64``, ``armhf``."""
    return _ARCHITECTURES.get(platform.architecture, platform.architecture)


def debian_release(version: str) -> str:
    """The number of the release of Debian that a package's ``version`` was mended for: 13; empty where it doesn't say.

    Versions of security fixes say it: ``3.5.7-1~deb13u2`` (Debian's Developer's Reference, 5.8.5.4).
    """
    found = re.search(r"[+~]deb(\d+)u", version)
    return found[1] if found else ""
