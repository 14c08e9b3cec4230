"""The app, as the project's files and settings describe it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.settings import Settings


__all__ = [
    "HOME",
    "LOCK_FILE",
    "PLACE",
    "PORT",
    "App",
    "Application",
    "ApplicationEntry",
    "Argument",
    "Command",
    "EntryPoint",
    "Found",
    "FunctionEntry",
    "Metadata",
    "ModuleEntry",
    "NamedEntry",
    "RequirementsFile",
    "RunFacts",
    "ScriptEntry",
    "Variable",
]

LOCK_FILE: Final = "cannery.lock"  # in the project's folder: what a build takes besides wheels
HOME = PurePosixPath("/app")  # the folder of an image that has the project's files, each where the project has it
PLACE: Final = PurePosixPath("/usr/local/bin")  # of scripts, and of programs


class ScriptEntry(msgspec.Struct, frozen=True):
    """A file that is run: ``python main.py``."""

    path: PurePosixPath  # relative to the project; absolute, as the image has it, for one that is installed as a script
    source: str | None = None  # of the latter
    origin: PurePosixPath | None = None  # the project's file with that source; None for a script that a wheel brings

    @property
    def image_path(self) -> PurePosixPath:
        """Its path in the image, while it's a source."""
        return HOME / self.path


class ModuleEntry(msgspec.Struct, frozen=True):
    """A module that is run: ``python -m package``."""

    name: str


class FunctionEntry(msgspec.Struct, frozen=True):
    """A console script: a function that returns an exit code (packaging.python.org, entry points)."""

    script: str  # its name, that of the command
    module: str
    attribute: str  # of the module: "main", "Cli.main"


EntryPoint = ScriptEntry | ModuleEntry | FunctionEntry


class NamedEntry(msgspec.Struct, frozen=True):
    """Something that the project doesn't have: a dependency's, which is known once the wheels are there."""

    name: str  # of a console script or a module, or "package.module:function"
    source: str  # what names it: "entry", "Procfile"
    module: bool = False  # a module and no script, as it stands behind "python -m"


class Application(msgspec.Struct, frozen=True):
    """An object of the project's that a server can serve, as far as its source tells."""

    module: str
    attribute: str  # of the module
    place: str  # where it's defined: "main.py:3"
    origin: str  # what makes it: the full name of a class or a function, or "asgi" or "wsgi" where the source says so
    factory: bool = False  # it's a function that returns the application

    @property
    def reference(self) -> str:
        """Its name, as servers take it."""
        return f"{self.module}:{self.attribute}"


class ApplicationEntry(msgspec.Struct, frozen=True):
    """An application that a server among the dependencies is to serve."""

    candidates: tuple[Application, ...]  # the likeliest first
    told: str  # why it's not run as it is: "main.py defines app and starts nothing"
    otherwise: ScriptEntry | FunctionEntry | None = None  # what runs where none is an application after all
    serves_itself: bool = False  # that also runs where no server is there: it starts one that is for development
    unheard: str = ""  # where that is started so that nobody outside of a container hears it: "main.py:9"


class Variable(msgspec.Struct, frozen=True):
    """The value that a variable of the environment has when the program starts."""

    name: str
    default: str = ""  # where it's not set, or empty

    def __str__(self) -> str:
        return f"${{{self.name}:-{self.default}}}" if self.default else f"${self.name}"


PORT: Final = Variable("PORT", "8000")  # platforms that run containers say by this which port they will ask
Argument = str | tuple[str | Variable, ...]  # a word, which may have variables in it


class Command(msgspec.Struct, frozen=True):
    """A way to start the app: a program and its arguments."""

    name: str  # of the file in the image that starts it; empty for the one that the image starts by itself
    entry: EntryPoint | NamedEntry | ApplicationEntry
    arguments: tuple[Argument, ...] = ()
    env: tuple[tuple[str, Argument], ...] = ()  # set for it alone
    ports: tuple[str, ...] = ()  # that it listens on, as far as its arguments say so

    @property
    def started(self) -> EntryPoint:
        """What starts, after the dependencies were looked at (:func:`cannery.trees.settled.settled`)."""
        assert isinstance(self.entry, ScriptEntry | ModuleEntry | FunctionEntry), self.entry  # noqa: S101  # a defect
        return self.entry

    @property
    def plain(self) -> bool:
        """True where nothing has to be made of the environment before the program starts."""
        return not self.env and all(isinstance(word, str) for word in self.arguments)


# uv.lock, poetry.lock, pylock.toml (PEP 751), pdm.lock, Pipfile.lock or Pipfile, environment.yml, a requirements file,
# the project's own description (pyproject.toml, setup.cfg, setup.py), or a script (PEP 723)
RequirementsKind = Literal["uv", "poetry", "pylock", "pdm", "pipenv", "conda", "requirements", "project", "script"]


class Metadata(msgspec.Struct, frozen=True):
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


class RequirementsFile(msgspec.Struct, frozen=True):
    """The file that the app's requirements are in."""

    path: Path
    kind: RequirementsKind


class Found(msgspec.Struct, frozen=True):
    """A value that no setting gives, taken from the project's own files: reports say so."""

    what: str  # the setting in whose place it stands: "entry", "requirements"
    value: str  # as a person would write it: "gunicorn main:app"
    source: str  # where it was found: "Procfile", "setup.cfg"


class RunFacts(msgspec.Struct, frozen=True):
    """What runs of the program have shown, where the setting ``trace`` asks for some."""

    imports: tuple[tuple[str, str], ...] = ()  # (importer, imported)
    modules: frozenset[str] = frozenset()  # top-level ones that the program's modules, or its dependencies', import
    opened: tuple[str, ...] = ()  # files, relative to the project
    libraries: tuple[str, ...] = ()  # shared libraries that are opened by name


class App(msgspec.Struct, frozen=True):
    """A project that is to become an image: its files and settings, read once."""

    folder: Path  # the project's, absolute
    name: str  # of the image
    distribution: str | None  # the project's own name, if it is a package
    metadata: Metadata
    main: Command  # what the image starts
    import_roots: tuple[PurePosixPath, ...]  # folders that imports start from, relative to the project (PYTHONPATH)
    requirements: RequirementsFile | None  # None: it has none
    archive: Path  # that the image is written to
    settings: Settings
    python: str | None = None  # the minor version that .python-version names, where no setting says another
    notes: tuple[str, ...] = ()  # for the user, on how the project was read
    found: tuple[Found, ...] = ()  # what was taken though no setting says so, in the order in which it was looked for
    commands: tuple[Command, ...] = ()  # others that the image has beside
    seen: RunFacts = RunFacts()
    looked_for: tuple[tuple[str, str], ...] = ()  # its files and folders that dependencies name, and the naming source

    @property
    def entry(self) -> EntryPoint:
        """What the image starts."""
        return self.main.started

    @property
    def entries(self) -> tuple[EntryPoint, ...]:
        """All that can be started, the image's own first, as far as dependencies were asked what they bring."""
        entries = (command.entry for command in (self.main, *self.commands))
        return tuple(dict.fromkeys(entry for entry in entries if not isinstance(entry, NamedEntry | ApplicationEntry)))

    @property
    def arguments(self) -> tuple[str, ...]:
        """The image's default arguments, as far as they are the same wherever it starts."""
        return tuple(word for word in self.main.arguments if isinstance(word, str)) if self.main.plain else ()

    @property
    def ports(self) -> tuple[str, ...]:
        """The ports that the program listens on: those of the settings, or those that its arguments name."""
        return self.settings.ports or self.main.ports

    @property
    def image_roots(self) -> tuple[str, ...]:
        """The folders of the image that imports of the app's modules start from, in the order of ``sys.path``."""
        return tuple(str(HOME / root) for root in self.import_roots)

    @property
    def references(self) -> tuple[str, ...]:
        """The names of its image: ``name:tag``."""
        return (f"{self.name}:{self.settings.tag}",)
