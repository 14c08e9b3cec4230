"""The app, as the project's files and settings describe it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.settings import Settings


__all__ = [
    "HOME",
    "App",
    "EntryPoint",
    "Found",
    "FunctionEntry",
    "Metadata",
    "ModuleEntry",
    "RequirementsFile",
    "ScriptEntry",
]

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

    script: str  # its name, that of the command
    module: str
    attribute: str  # of the module: "main", "Cli.main"


EntryPoint = ScriptEntry | ModuleEntry | FunctionEntry

# uv.lock, poetry.lock, pylock.toml (PEP 751), pdm.lock, Pipfile.lock or Pipfile, environment.yml, a requirements file,
# the project's own description (pyproject.toml, setup.cfg, setup.py), or a script (PEP 723)
RequirementsKind = Literal["uv", "poetry", "pylock", "pdm", "pipenv", "conda", "requirements", "project", "script"]


@dataclass(frozen=True, slots=True)
class Metadata:
    """The fields of ``[project]`` that an image or an executable needs (PEP 621)."""

    version: str | None = None
    description: str = ""
    license: str = ""
    authors: str = ""
    urls: tuple[tuple[str, str], ...] = ()
    requires_python: str = ""
    dependencies: tuple[str, ...] = ()
    dynamic: frozenset[str] = frozenset()  # fields that only the build backend knows; "poetry": its dependencies
    entry_points: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()  # group -> (name, object reference)


@dataclass(frozen=True, slots=True)
class RequirementsFile:
    """The file that the app's requirements are in."""

    path: Path
    kind: RequirementsKind


@dataclass(frozen=True, slots=True)
class Found:
    """A value that no setting gives, taken from the project's own files: reports say so."""

    what: str  # the setting in whose place it stands: "entry", "requirements"
    value: str  # as a person would write it: "gunicorn main:app"
    source: str  # where it was found: "Procfile", "setup.cfg"


@dataclass(frozen=True, slots=True)
class App:
    """A project that is to become an image: its files and settings, read once."""

    folder: Path  # the project's, absolute
    name: str  # of the image
    distribution: str | None  # the project's own name, if it is a package
    metadata: Metadata
    entry: EntryPoint
    import_roots: tuple[PurePosixPath, ...]  # folders that imports start from, relative to the project (PYTHONPATH)
    requirements: RequirementsFile | None  # None: it has none
    archive: Path  # that the image is written to
    settings: Settings
    python: str | None = None  # the minor version that .python-version names, where no setting says another
    notes: tuple[str, ...] = ()  # for the user, on how the project was read
    found: tuple[Found, ...] = ()  # what was taken though no setting says so, in the order in which it was looked for

    @property
    def image_roots(self) -> tuple[str, ...]:
        """The folders of the image that imports of the app's modules start from, in the order of ``sys.path``."""
        return tuple(str(HOME / root) for root in self.import_roots)

    @property
    def references(self) -> tuple[str, ...]:
        """The names of its image: ``name:tag``."""
        return (f"{self.name}:{self.settings.tag}",)
