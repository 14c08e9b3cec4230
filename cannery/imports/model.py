"""What an analysis of imports says: values that never change, and that JSON can hold."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Host", "How", "Import", "Kind", "Mentions", "Missing", "Module", "Reach", "Reason", "Where"]

How = Literal[
    "started",  # the program begins there, or Python does
    "imported",  # by an import statement, or a call with the name written out
    "parent",  # a package is imported before what lies in it
    "named",  # a string names it, where modules are loaded by name
    "own",  # a module of the app's own: it may be found by looking into folders
    "native",  # an extension module imports it
    "codec",  # an encoding's name stands where one is asked for
    "entry point",  # of a group that somebody asks for
    "included",  # by the setting include
    "data",  # a package of nothing but data, in one that is reached
    "traced",  # a run of the program imported it
]


Kind = Literal["source", "extension", "bytecode", "builtin", "namespace"]
Where = Literal["app", "dependencies", "stdlib"]


class Host(msgspec.Struct, frozen=True):
    """The Python that the program is for."""

    version: tuple[int, int, int]
    builtins: frozenset[str]  # modules inside the interpreter itself
    started: tuple[str, ...] = ()  # what it imports before the program begins
    platform: str = "linux"  # sys.platform


class Import(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """An import as it's written."""

    module: str  # empty in "from . import x"
    level: int = 0  # dots before it
    names: tuple[str, ...] = ()  # after "import", where it's a "from"; "*" among them
    needed: bool = False  # where it fails, the module that it stands in can't be imported
    unless: tuple[str, ...] = ()  # where these are in the interpreter, it's never run: the other side of a try
    by_name: bool = False  # a call of import_module or the like
    asked: tuple[str, ...] = ()  # run only when another module asks this one for one of these attributes


class Mentions(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What one source says that may lead to other modules."""

    imports: tuple[Import, ...] = ()
    dotted: frozenset[str] = frozenset()  # strings such as "package.module:attribute"
    words: frozenset[str] = frozenset()  # shorter strings, where modules are loaded by name
    below: frozenset[str] = (
        frozenset()
    )  # "package.", of which any module may be loaded, or "package.prefix"; "." its own
    after: frozenset[str] = frozenset()  # name + ".module", or name + ".package." + name, of packages named elsewhere
    opens: bool = False  # loads what it finds in the folders of packages
    codecs: frozenset[str] = frozenset()
    exports: tuple[str, ...] = ()  # __all__
    attributes: frozenset[str] = (
        frozenset()
    )  # what is asked for: "module.name", or "name" where it's unknown of what; "module.*"
    binary: frozenset[str] = frozenset()  # words in an extension module that may be top-level modules
    dynamic: tuple[int, ...] = ()  # lines that load a module whose name can't be read
    refuses: bool = False  # raises an exception whenever it's imported
    stub: bool = False  # its imports stand in the .pyi beside it, which it reads itself (lazy_loader)


class Reason(msgspec.Struct, frozen=True, array_like=True):
    """Why a module is there: who leads to it, and how."""

    importer: str  # a module, or empty where it's none
    how: How


class Module(msgspec.Struct, frozen=True):
    """A module that the program reaches."""

    kind: Kind
    place: Where
    path: str = ""  # in the image; none for what is inside the interpreter, the folder for a namespace
    package: bool = False
    reason: Reason = Reason("", "started")  # the shortest way to it


class Missing(msgspec.Struct, frozen=True):
    """A module that is imported somewhere and nowhere to be found."""

    importers: tuple[str, ...]
    needed: bool  # one of the importers can't be imported without it, and is reached all the same


class Reach(msgspec.Struct, frozen=True):
    """What a program reaches."""

    modules: dict[str, Module]  # by name, in order
    data: tuple[str, ...]  # other files of the packages reached: paths in the image
    missing: dict[str, Missing]
    broken: dict[str, str]  # modules that can't be imported here, and of what they lack; none of them is reached
    left_out: tuple[str, ...]  # modules that are there and not reached
    dynamic: dict[str, tuple[int, ...]]  # lines that load modules whose names can't be read, by module

    @property
    def paths(self) -> frozenset[str]:
        """Where the modules' files lie in the image, and the data's."""
        files = {module.path for module in self.modules.values() if module.kind not in {"builtin", "namespace"}}
        return frozenset({*files, *self.data})

    def why(self, name: str) -> tuple[tuple[str, Reason], ...]:
        """The way to a module: itself and its reason, then its importer and the reason of that, up to the start."""
        way: list[tuple[str, Reason]] = []
        while name in self.modules:
            reason = self.modules[name].reason
            way.append((name, reason))
            name = reason.importer
        return tuple(way)
