"""What the user has: the app, its settings, and the Python that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.settings import Settings


__all__ = ["HOME", "App", "EntryPoint", "FunctionEntry", "Metadata", "ModuleEntry", "RequirementsFile", "ScriptEntry"]

HOME = PurePosixPath("/app")  # the folder of an image that has the project's files, each where the project has it


@dataclass(frozen=True, slots=True)
class ScriptEntry:
    """A file that is run: ``python main.py``."""

    path: PurePosixPath  # relative to the project


@dataclass(frozen=True, slots=True)
class ModuleEntry:
    """A module that is run: ``python -m package``."""

    name: str


@dataclass(frozen=True, slots=True)
class FunctionEntry:
    """A console script: a function that returns an exit code (packaging.python.org, entry points)."""

    script: str
    module: str
    attribute: str


EntryPoint = ScriptEntry | ModuleEntry | FunctionEntry


@dataclass(frozen=True, slots=True)
class Metadata:
    """What ``[project]`` says of the project (packaging.python.org, pyproject.toml)."""

    version: str | None = None
    description: str = ""
    license: str = ""
    authors: str = ""
    urls: tuple[tuple[str, str], ...] = ()
    requires_python: str = ""
    dependencies: tuple[str, ...] = ()
    dynamic: frozenset[str] = frozenset()  # what only the build backend knows
    entry_points: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()  # group -> (name, object reference)


@dataclass(frozen=True, slots=True)
class RequirementsFile:
    """Where the app's requirements are written."""

    path: Path
    kind: Literal["uv", "poetry", "pylock", "requirements", "project"]


@dataclass(frozen=True, slots=True)
class App:
    """What goes into an image, read from the configuration once."""

    folder: Path  # the project's, absolute
    name: str  # of the image
    distribution: str | None  # the project's own name, if it is a package
    metadata: Metadata
    entry: EntryPoint
    import_roots: tuple[PurePosixPath, ...]  # relative to the project: what PYTHONPATH names
    requirements: RequirementsFile | None
    archive: Path  # where the image goes
    settings: Settings

    @property
    def image_roots(self) -> tuple[str, ...]:
        """The folders of the image that imports of the app's modules start from, in the order of ``sys.path``."""
        return tuple(str(HOME / root) for root in self.import_roots)

    @property
    def references(self) -> tuple[str, ...]:
        """What its image is called: ``name:tag``."""
        return (f"{self.name}:{self.settings.tag}",)
