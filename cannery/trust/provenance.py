"""What an image was built from, as a statement (SLSA v1.0, provenance), and read out of one.

There is neither a time in it nor anything of the machine that doesn't decide about the image's bytes: who builds the
same from the same says the same.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from cannery.errors import UnprovenError
from cannery.project.git_source import GitSource
from cannery.trust.statement import PROVENANCE, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.trust.statement import Subject

__all__ = ["Material", "Provenance"]

_BUILD_TYPE: Final = "https://cannery.dev/build/v1"
_BUILDER: Final = "https://cannery.dev/cannery"
_SOURCE: Final = "source"


@dataclass(frozen=True, slots=True)
class Material:
    """Something that a build took, by its digest."""

    uri: str  # a package URL, an address; empty for what has a name alone
    sha256: str  # empty where only the version is known
    name: str = ""
    of: str = ""  # what the digest is of, where it isn't a file that is fetched


class _Source(msgspec.Struct):
    """The source as it's written."""

    commit: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")]
    repository: Annotated[str, msgspec.Meta(pattern=r"^(?!-)")] = ""  # Git would take it for an option
    folder: Annotated[str, msgspec.Meta(pattern=r"^(?!/)(?!(?:.*/)?\.\.(?:/|\Z))")] = ""  # below the repository's top
    modified: list[str] = []


class _External(msgspec.Struct):
    """What whoever built chose."""

    settings: dict[str, Any] = {}
    source: _Source | None = None


class _Internal(msgspec.Struct):
    """What else decides."""

    locks: dict[str, str] = {}
    tools: dict[str, str] = {}
    python: str = ""
    zlib: str = ""


class _Definition(msgspec.Struct):
    """A definition of a build, as it's written."""

    build_type: str = msgspec.field(name="buildType")
    external: _External = msgspec.field(name="externalParameters")
    internal: _Internal = msgspec.field(name="internalParameters", default_factory=_Internal)


class _Predicate(msgspec.Struct):
    """The predicate, as far as it's read."""

    definition: _Definition = msgspec.field(name="buildDefinition")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an image was built from."""

    source: GitSource | None  # None where the project is in no repository
    settings: Mapping[str, Any]  # those that decide about the bytes and aren't defaults
    locks: Mapping[str, str] = field(default_factory=dict)  # files of the project: their SHA-256
    tools: Mapping[str, str] = field(default_factory=dict)  # distributions on the machine: their versions
    python: str = ""  # the version of Python in the image
    zlib: str = ""  # a digest of what the machine's zlib makes of a sample
    materials: tuple[Material, ...] = ()  # all else, in order

    def statement(self, subjects: tuple[Subject, ...]) -> Statement:
        """The statement that ``subjects`` were built so."""
        external: dict[str, Any] = {"settings": dict(self.settings)}
        if self.source is not None:
            external["source"] = {name: value for name, value in asdict(self.source).items() if value}
        internal = {"locks": self.locks, "tools": self.tools, "python": self.python, "zlib": self.zlib}
        definition = {
            "buildType": _BUILD_TYPE,
            "externalParameters": external,
            "internalParameters": {name: value for name, value in internal.items() if value},
            "resolvedDependencies": [*self._source(), *map(_described, self.materials)],
        }
        builder = {"id": _BUILDER, "version": {"cannery": self.tools["cannery"]} if "cannery" in self.tools else {}}
        return Statement(subjects, PROVENANCE, {"buildDefinition": definition, "runDetails": {"builder": builder}})

    @classmethod
    def of(cls, statement: Statement) -> Provenance:
        """What ``statement`` says; the materials are not read.

        Raises :class:`UnprovenError` where it isn't about a build of cannery's, or is malformed.
        """
        try:
            definition = msgspec.convert(statement.predicate, _Predicate).definition
        except msgspec.ValidationError as error:
            raise UnprovenError("the provenance of the image is malformed", evidence=str(error)) from error
        if definition.build_type != _BUILD_TYPE:
            raise UnprovenError(
                "the provenance of the image tells of a build that isn't cannery's, and can't be done again",
                evidence=f"its buildType is {definition.build_type}",
            )
        found, internal = definition.external.source, definition.internal
        source = GitSource(found.repository, found.commit, found.folder, tuple(found.modified)) if found else None
        settings = definition.external.settings
        return cls(source, settings, internal.locks, internal.tools, internal.python, internal.zlib)

    def _source(self) -> Iterator[Mapping[str, Any]]:
        if self.source is not None:
            where = f"git+{self.source.repository}@{self.source.commit}" if self.source.repository else ""
            uri = {"uri": where} if where else {}
            yield {"name": _SOURCE, **uri, "digest": {"gitCommit": self.source.commit}}


def _described(material: Material) -> Mapping[str, Any]:
    """A material as a resource descriptor (in-toto Attestation Framework, ResourceDescriptor)."""
    fields = {
        "uri": material.uri,
        "name": material.name,
        "digest": {"sha256": material.sha256} if material.sha256 else {},
        "annotations": {"digest of": material.of} if material.of else {},
    }
    return {name: value for name, value in fields.items() if value}
