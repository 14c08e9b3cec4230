"""Single requirements, as lines of a requirements file have them (PEP 508, and paths)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cannery.errors import RequirementsError
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["RequirementLine", "RequirementLines", "check_hashes"]

_NAMED = re.compile(r"(?P<name>[\w.-]+)\s*(?P<extras>\[[^]]*\])?\s*@\s*")
_EXTRAS = re.compile(r"(?<=.)(\[[^][]*\])$")
_FILE = re.compile(r"file:(?://(?:localhost(?=/))?)?")
_SHOWN = 3  # requirements that a message names


@dataclass(frozen=True)
class RequirementLine:
    """One requirement."""

    text: str  # what is required: PEP 508, a path or an address; without options
    file: Path  # that names it
    hashes: tuple[str, ...] = ()  # sha256:…

    @cached_property
    def path(self) -> Path | None:
        """The file or folder of this machine that it is; None for one that is looked for in an index."""
        location = self._location
        named = _NAMED.match(location)
        location = _EXTRAS.sub("", location[named.end() :] if named else location)
        if match := _FILE.match(location):
            return self.file.parent / unquote(location[match.end() :].partition("#")[0])
        if "://" in location or (not named and "/" not in location and not location.startswith(".")):
            return None
        return self.file.parent / location.partition("#")[0]

    @property
    def extras(self) -> tuple[str, ...]:
        """The extras that a requirement with a path asks for."""
        match = _NAMED.match(self._location)
        found = match["extras"] if match else _EXTRAS.search(self._location.partition("#")[0])
        text = found if isinstance(found, str) else (found[1] if found else "")
        return tuple(filter(None, (each.strip() for each in text.strip("[]").split(","))))

    @property
    def exact(self) -> bool:
        """True where it allows one version only: ``==`` or a URL."""
        if self.path is not None and self.path.is_dir():
            return False  # its content may change
        from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415  # slow to import

        try:
            requirement = Requirement(self.text)
        except InvalidRequirement:
            return False  # a path, which may lead to something else
        exact = any(one.operator in {"==", "==="} and not one.version.endswith(".*") for one in requirement.specifier)
        return exact or requirement.url is not None

    @property
    def name(self) -> str:
        """The name of the distribution; empty for a path without one."""
        if self.path is not None and not _NAMED.match(self._location):
            return ""
        match = re.match(r"[\w.-]+", self.text)
        return match[0] if match else ""

    def absolute(self) -> str:
        """The requirement with its path, if it has one, as an absolute address."""
        if self.path is None:
            return self.text
        if self.path.suffix == ".whl":
            return self.at(self.path)
        named = _NAMED.match(self._location)
        return f"{named[0] if named else ''}{self.path.resolve().as_uri()}{self._marker}"

    def at(self, wheel: Path) -> str:
        """The requirement, with a path, as that of ``wheel``."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{wheel.name.partition('-')[0]}{extras} @ {wheel.resolve().as_uri()}{self._marker}"

    @property
    def _location(self) -> str:
        return self.text.partition(" ;")[0].strip()

    @property
    def _marker(self) -> str:
        _, mark, marker = self.text.partition(" ;")
        return f" ;{marker}" if mark else ""


@dataclass
class RequirementLines:
    """The content of a requirements file, with all files that it includes."""

    files: list[Path] = field(default_factory=list)  # that were read, constraints among them
    lines: list[RequirementLine] = field(default_factory=list)
    constraints: list[RequirementLine] = field(default_factory=list)
    remote: list[str] = field(default_factory=list)  # -r and -c of an address, which uv reads
    options: list[str] = field(default_factory=list)  # of uv: the indexes
    from_source: list[str] = field(default_factory=list)  # the values of --no-binary
    notes: list[str] = field(default_factory=list)  # for the user
    require_hashes: bool = False

    @property
    def hashed(self) -> bool:
        """True where hashes are asked for: some hashes mean all (pip's documentation, Secure installs)."""
        return self.require_hashes or any(line.hashes for line in self.lines)

    @property
    def locked(self) -> bool:
        """True if every requirement allows one version only."""
        return not self.remote and all(line.exact for line in self.lines)

    @property
    def key(self) -> list[object]:
        """All that decides about what the lines mean, with the digests of archives that they name."""
        named = [*self.lines, *self.constraints]
        archives = [line.path for line in named if line.path is not None and line.path.is_file()]
        digests = [Digest.of(path.read_bytes()).hex for path in archives]
        return [[(line.text, line.hashes) for line in named], self.remote, self.options, self.require_hashes, digests]


def check_hashes(lines: RequirementLines, name: str) -> None:
    """Raise :class:`RequirementsError` where some requirements have hashes, as all of ``name`` must have then, or none.

    That's pip's rule: a hash keeps out what wasn't locked, and nothing is gained where the next line lets it in. The
    folders of this machine's own projects need none.
    """
    plain = [line for line in lines.lines if not line.hashes and not (line.path and line.path.is_dir())]
    if lines.hashed and (lacking := [*(line.text for line in plain), *lines.remote]):
        raise RequirementsError(
            f"some requirements of {name} have hashes, and others have none: {', '.join(lacking[:_SHOWN])}"
            f"{' …' if len(lacking) > _SHOWN else ''}",
            evidence="where one has a hash all must have, for pip, too: what has none could be anything",
            step=f"give them all:  uv pip compile --generate-hashes SOURCE -o {name}",
        )
