"""The project's own files, by what names them: the entry point, imports, strings in code, settings, conventions."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError, did_you_mean
from cannery.project.app import FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.modules import find_module, is_about_projects, own_modules, own_packages

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from pathlib import Path

    from cannery.project.app import App

__all__ = ["OwnFiles", "started_with"]

# Files and folders that programs look for by themselves, where they start or beside the script: of Flask and its like,
# gettext, Babel, Alembic, gunicorn, Streamlit
_CONVENTIONAL = (
    "templates", "static", "locale", "locales", "translations", "migrations", "alembic", "alembic.ini",
    "gunicorn.conf.py", "pages", ".streamlit",
)  # fmt: skip
# The same, where no module lies in it: Bottle's templates lie there, and other people's functions
_CONVENTIONAL_DATA = ("views",)
_MADE = (".tar", ".whl", ".gz")  # archives
_REFERENCE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?::[\w.]+(?:\(.*\))?)?")  # "package.module:attribute"


@dataclass(frozen=True)
class OwnFiles:
    """The files and folders of one project that are its app's."""

    app: App

    @cached_property
    def names(self) -> frozenset[str]:
        """The names, with suffixes and without, that stand beside the app's modules: strings may begin with them."""
        found = (name for place in self._places for name in os.listdir(place) if not self._is_made(place / name))
        visible = {name for name in found if not name.startswith((".", "__"))}
        return frozenset(visible | {name.partition(".")[0] for name in visible})

    def _is_made(self, path: Path) -> bool:
        """True for the folder of the image's archive, where nothing else lies but what other builds have made."""
        return path == self.app.archive.parent and all(name.endswith(_MADE) for name in os.listdir(path))

    @cached_property
    def _places(self) -> tuple[Path, ...]:
        """The folders that names are looked for in: where the program starts, and where its imports do."""
        folders = dict.fromkeys((self.app.folder, *(self.app.folder / root for root in self.app.import_roots)))
        return tuple(folder for folder in folders if folder.is_dir())

    def starts(self) -> Iterator[Path]:
        """The modules that the program begins with: the entry point's, ``packages``, those of arguments, variables."""
        for name in self.app.settings.packages:
            if not (found := self.modules(name)):
                what = f"packages names {name!r}: there is no such module in {self.app.folder}"
                step = "correct it, or leave it out: what is installed goes in by requirements"
                raise ConfigurationError(what, evidence=did_you_mean(name, self.names), step=step)
            yield from found
        for entry in self.app.entries:
            if isinstance(entry, ModuleEntry | FunctionEntry):
                name = entry.name if isinstance(entry, ModuleEntry) else entry.module
                yield from self.modules(name)  # nothing where it's a dependency's
        yield from self.scripts
        for word in started_with(self.app):
            yield from self.modules(word.partition(":")[0]) if _REFERENCE.fullmatch(word) else ()

    @cached_property
    def scripts(self) -> tuple[Path, ...]:
        """The files of the project that are run."""
        entries = (entry for entry in self.app.entries if isinstance(entry, ScriptEntry))
        return tuple(self.app.folder / entry.path for entry in entries if not entry.path.is_absolute())

    def whole(self) -> Iterator[Path]:
        """The modules and packages that go in whether or not anything names them.

        They are all that lie beside a script, and all that a wheel of the project would have: its packages, or where
        there is none its modules. A folder with no ``__init__`` is not among them, unless it lies in ``src``: any
        folder may be one.
        """
        folder, beside = self.app.folder, {script.parent for script in self.scripts}
        first = takewhile(lambda root: root != PurePosixPath(), self.app.import_roots)
        others = {folder / root for root in first} - beside
        # The project's packages lie in its folder itself, and not in src, or beside a script below
        in_folder = not others and (not beside or self.app.distribution is not None)
        for root in dict.fromkeys((*beside, *(folder / root for root in self.app.import_roots))):
            if not root.is_dir() or (root == folder and root not in beside and not in_folder):
                continue
            packages = tuple(own_packages(root, namespaces=root not in {folder, *beside}))
            yield from packages
            if root in beside or not (packages and self.app.distribution):
                yield from own_modules(root)

    def modules(self, name: str) -> tuple[Path, ...]:
        """The project's files and folders behind the top level of the module ``name``."""
        top = name.partition(".")[0]
        return find_module(self.app.folder, self.app.import_roots, top) if top in self.names else ()

    def modules_of_strings(self, strings: Iterable[str]) -> Iterator[Path]:
        """Those behind strings such as ``"app.main:app"`` and ``"polls.urls"``."""
        for text in strings:
            if _REFERENCE.fullmatch(text) and ("." in text or ":" in text):
                reference = text.partition(":")[0]
                least = 0 if ":" in text else 1
                while reference.count(".") >= least and reference:
                    if find_module(self.app.folder, self.app.import_roots, reference):
                        yield from self.modules(reference)
                        break
                    reference = reference.rpartition(".")[0]

    def modules_of_folders(self, names: Iterable[str]) -> Iterator[Path]:
        """Those in folders that the code looks for ``*.py`` in: ``"cogs"``, whose modules are loaded as ``cogs.x``."""
        for name in sorted(names):
            top = name.partition("/")[0]
            listed = any(path.suffix == ".py" for place in self._places for path in (place / name).glob("*.py"))
            if name and listed and not is_about_projects(top) and PurePosixPath(top) not in self.app.import_roots:
                yield from self.modules(top)

    def data_of_strings(self, strings: Iterable[str], paths: Container[str] = ()) -> Iterator[Path]:
        """The files and folders that strings such as ``"data/x.csv"`` name, where the program starts or beside it.

        A word such as ``docs`` names a folder where it's among the ``paths``: it stands where a path does.
        """
        for text in strings:
            parts = PurePosixPath(text).parts
            name = text.rstrip("/")
            if not parts or ".." in parts or (len(parts) == 1 and is_about_projects(name) and name not in paths):
                continue
            for place in self._places:
                path = place.joinpath(*parts)
                if os.path.lexists(path) and not any(each.is_relative_to(path) for each in self._places):
                    yield path

    def seldom_data(self, strings: Iterable[str]) -> Iterator[str]:
        """The folders that strings name and that programs seldom read, such as ``docs`` and ``dist``."""
        for text in strings:
            name = text.rstrip("/")
            if is_about_projects(name) and name not in {"test", "tests"} and (self.app.folder / name).is_dir():
                yield name

    def opened_data(self) -> Iterator[Path]:
        """The files that a run has opened, with all that lies in their folder: the next run may open others."""
        for name in self.app.seen.opened:
            path = self.app.folder / name
            above = path.parent
            if os.path.lexists(path):
                yield path if any(place.is_relative_to(above) for place in self._places) else above

    def conventional_data(self) -> Iterator[Path]:
        """The files and folders that frameworks look for by themselves."""
        for place in self._places:
            yield from (place / name for name in _CONVENTIONAL if os.path.lexists(place / name))
            yield from (place / name for name in _CONVENTIONAL_DATA if _is_data(place / name))


def started_with(app: App) -> Iterator[str]:
    """The words that the program is started with: arguments, and the values of variables."""
    commands = (app.main, *app.commands)
    values = [word for command in commands for word in (*command.arguments, *(value for _, value in command.env))]
    parts = [part for value in values for part in ((value,) if isinstance(value, str) else value)]
    texts = [part if isinstance(part, str) else part.default for part in parts]
    for text in dict.fromkeys((*texts, *app.settings.args, *app.settings.env.values())):
        try:
            yield from shlex.split(text)
        except ValueError:  # an apostrophe
            yield text


def _is_data(folder: Path) -> bool:
    return folder.is_dir() and next(folder.rglob("*.py"), None) is None
