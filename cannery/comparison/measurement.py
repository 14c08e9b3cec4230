"""What was measured of each way to pack a program, as values."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BuildTimes", "Lack", "LayerSize", "Measurement", "Running", "Spread", "Stored"]

ContenderKind = Literal["recipe", "peer", "reference"]


class Spread(NamedTuple):
    """The values of repeated measurements, in the order in which they were made."""

    values: tuple[float, ...]  # at least one

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The least value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The greatest value."""
        return max(self.values)


class LayerSize(NamedTuple):
    """A layer, or the file that is the whole program."""

    name: str
    size: int  # bytes as a container sees it
    compressed: int  # bytes as it is pulled


@dataclass(frozen=True, slots=True)
class Stored:
    """What lies on disk and in a registry."""

    layers: tuple[LayerSize, ...]  # from the lowest
    files: int
    distributions: int | None  # of Python packages; None where they lie inside of one file

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(layer.size for layer in self.layers)

    @property
    def compressed(self) -> int:
        """Bytes to pull."""
        return sum(layer.compressed for layer in self.layers)


@dataclass(frozen=True, slots=True)
class BuildTimes:
    """How long builds take, in seconds, and what they make; None: that one failed, or there was no line to change."""

    unchanged: Spread | None = None  # nothing has changed since the last build
    changed: Spread | None = None  # one line of the program has
    sent_again: int | None = None  # compressed bytes of the layers that differ after that
    cold: Spread | None = None  # nothing is remembered but what was downloaded
    reproducible: bool | None = None  # that build, in another folder, has made the same bytes


@dataclass(frozen=True, slots=True)
class Running:
    """How the program runs."""

    start: Spread  # seconds to the first answer, or to the end of a command
    idle: Spread | None = None  # bytes of memory of all its processes (PSS, proc(5)) once it has answered
    loaded: Spread | None = None  # the same after requests
    rate: Spread | None = None  # requests per second
    rate_is_least: bool = False  # whoever sends the requests was as busy as it can be: the program may take more


class Lack(NamedTuple):
    """Something that couldn't be measured."""

    what: str  # "build", "builds in a copy", "run"
    reason: str
    step: str = ""  # what mends it


@dataclass(frozen=True, slots=True)
class Measurement:
    """A way to pack the program, and all that was measured of it."""

    name: str  # "scratch", "pex"
    kind: ContenderKind
    about: str = ""  # what it is, with versions and what it needs of the machine that runs it
    stored: Stored | None = None
    builds: BuildTimes | None = None
    running: Running | None = None
    findings: Mapping[str, int] | None = None  # severity -> how many the audit has
    lacks: tuple[Lack, ...] = ()
