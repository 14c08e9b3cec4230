"""What an executable says of itself in the form that scanners read: which Python is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.elf.package_notes import PackageNote
from cannery.executable.kit.sources import debian_packages, known_pythons
from cannery.python.distribution.suites import debian_release

if TYPE_CHECKING:
    from cannery.executable.kit.kit import Kit

__all__ = ["note_of_kit"]


def note_of_kit(kit: Kit) -> PackageNote:
    """The note for what is linked with ``kit``: by Debian's source package where its Python is built of that."""
    minor = ".".join(map(str, kit.interpreter.version[:2]))
    told = (each.version for each in kit.components if each.name == "Python")
    version = next(told, kit.interpreter.version_text)
    source = known_pythons().get(minor)
    if source is None or source.patches is None or source.full_version != version:
        return PackageNote("generic", "python", version)
    package = debian_packages()[minor].partition("=")[0]
    return PackageNote("deb", package, version, "debian", debian_release(version))
