"""The base that a Dockerfile begins with, as far as its name tells: it can't be looked into here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from cannery.errors import ConfigurationError
from cannery.recipes.dockerfile.pins import PYTHONS

if TYPE_CHECKING:
    from cannery.project.app import App

__all__ = ["NamedBase", "named_base"]


@dataclass(frozen=True, slots=True)
class NamedBase:
    """A base image by its reference."""

    name: str  # "python:3.11-slim"
    version: str  # of its Python: "3.11"

    @property
    def python(self) -> str:
        """Its interpreter's name."""
        return f"python{self.version}"

    @property
    def path(self) -> str:
        """The path of its interpreter in official images; in others the name, which is looked for on the path."""
        official = re.match(r"(?:.*/)?python:3\.\d+", self.name)
        return f"/usr/local/bin/{self.python}" if official else "python3"

    @property
    def with_compiler(self) -> str:
        """The name of an image like it that has a compiler: without ``-slim``, which stands for the lack of one."""
        return re.sub(r"-slim(?=-|$)", "", self.name.partition("@")[0])


def named_base(app: App) -> NamedBase:
    """The base of the settings, or the official image of the app's Python.

    Raises :class:`ConfigurationError` for one that Docker can't pull.
    """
    text = app.settings.base
    if text is None:
        version = _wanted_version(app)
        return NamedBase(f"python:{version}-slim", version)
    if text.startswith(("oci:", "docker-archive:")):
        raise ConfigurationError(
            f"a Dockerfile can't begin with base = {text!r}",
            step='name an image that Docker can pull, as  base = "python:3.11-slim"',
        )
    name = text.removeprefix("docker-daemon:")
    found = re.search(r":(3\.\d+)", name)
    return NamedBase(name, found[1] if found else _wanted_version(app))


def _wanted_version(app: App) -> str:
    """The Python that the settings name, or the oldest that the project allows."""
    if app.settings.python and "/" not in app.settings.python:
        return ".".join(app.settings.python.split(".")[:2])
    allowed = SpecifierSet(app.metadata.requires_python)
    return next((version for version in PYTHONS if allowed.contains(f"{version}.99")), PYTHONS[0])
