"""The values of an analysis of imports; JSON can hold each of them."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Host", "How", "Import", "Kind", "Mentions", "Missing", "Module", "Reach", "Reason", "Where"]

How = Literal[
    "started",  # the program begins there, or Python does
    "imported",  # by an import statement, or a call with the name written out
    "parent",  # a package is imported before what lies in it
    "named",  # a string names it, where modules are loaded by name
    "own",  # a module of the app: the app may look for modules in its own folders
    "native",  # an extension module imports it
    "codec",  # its name is that of an encoding, where a function takes one
    "entry point",  # of a group that a string names
    "start-up",  # a .pth file imports it before the program begins
    "pickled",  # a pickle in the package names it
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
    newer: str = ""  # the path of its executable, where it's newer than the running Python and may be asked to parse


class Import(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """An import as the source has it."""

    module: str  # empty in "from . import x"
    level: int = 0  # dots before it
    names: tuple[str, ...] = ()  # after "from module import", "*" among them
    needed: bool = False  # the source can't be imported without it: no "try" or function is around it
    unless: tuple[str, ...] = ()  # "except ImportError" of imports of these: not run where the interpreter has all
    by_name: bool = False  # a call, such as import_module("x"), and no statement
    asked: tuple[str, ...] = ()  # attributes: run only when another module asks the source's for one of them
    guarded: bool = False  # "except ImportError" is around it: the source goes on where it fails


class Mentions(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """All in one source that may lead to other modules."""

    imports: tuple[Import, ...] = ()
    dotted: frozenset[str] = frozenset()  # strings such as "package.module:attribute"
    words: frozenset[str] = frozenset()  # "name" and ".name", if the source loads any module by name
    # Beginnings of names that are made at run time: "package.", "package.prefix"; "." for the source's own package
    below: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()  # suffixes that are appended to a package name known only at run time
    opens: bool = False  # lists the modules in folders of packages, and loads some by name
    codecs: frozenset[str] = frozenset()
    exports: tuple[str, ...] = ()  # __all__
    # Attributes that it asks for: "module.name", "module.*" where the name is made at run time, and "name" of anything
    # that may be a module
    attributes: frozenset[str] = frozenset()
    binary: frozenset[str] = frozenset()  # words in an extension module that may be top-level modules
    dynamic: tuple[int, ...] = ()  # lines that load a module whose name is made at run time
    refuses: bool = False  # every import of it raises an exception
    stub: bool = False  # at run time it imports what the .pyi beside it says (lazy_loader)
    groups: frozenset[str] = frozenset()  # of entry points
    folders: frozenset[str] = frozenset()  # names of folders, if the source changes sys.path
    joins: frozenset[str] = frozenset()  # functions that load "package.module" and are given both
    handed: frozenset[str] = frozenset()  # "function:word", of functions that it imports
    reads: frozenset[str] = frozenset()  # names of files, and endings of names, that code and data have: "x.h", ".pyi"
    beside: bool = False  # asks where it lies, and so may open what lies there
    aliases: tuple[tuple[str, str], ...] = ()  # name of a module -> the one that is put in its place (sys.modules)


class Reason(msgspec.Struct, frozen=True, array_like=True):
    """The reason why a module is reached."""

    importer: str  # the module that leads to it; empty for the start
    how: How


class Module(msgspec.Struct, frozen=True):
    """A module that the program reaches."""

    kind: Kind
    place: Where
    path: str = ""  # of the file in the image; of the folder for a namespace; empty for a builtin
    package: bool = False
    reason: Reason = Reason("", "started")  # of those that there are, the one nearest to the start


class Missing(msgspec.Struct, frozen=True):
    """A module that is imported and isn't there."""

    importers: tuple[str, ...]
    needed: bool  # an importer that is reached can't be imported without it: one of the app's modules


class Reach(msgspec.Struct, frozen=True):
    """The modules that a program reaches, and what belongs to them."""

    modules: dict[str, Module]  # by name, in order
    data: tuple[str, ...]  # files of packages that are no modules: paths in the image
    missing: dict[str, Missing]
    broken: dict[str, str]  # modules that can't be imported -> the module that is missing, or ""
    left_out: tuple[str, ...]  # modules that are installed and not reached
    dynamic: dict[str, tuple[int, ...]]  # module -> its lines that load modules whose names are made at run time
    optional: tuple[str, ...] = ()  # modules that whoever imports them does without, and those that only strings name
    deferred: tuple[str, ...] = ()  # modules that only functions of dependencies import, or that their strings name
    opened: tuple[str, ...] = ()  # what may be opened by its path: of the data, and of the extension modules

    @property
    def paths(self) -> frozenset[str]:
        """The paths in the image of the modules' files and of the data."""
        files = {module.path for module in self.modules.values() if module.kind not in {"builtin", "namespace"}}
        return frozenset({*files, *self.data})

    def why(self, name: str) -> tuple[tuple[str, Reason], ...]:
        """The way to a module: the module with its reason, its importer with its reason, and so on to the start."""
        way: list[tuple[str, Reason]] = []
        while name in self.modules:
            reason = self.modules[name].reason
            way.append((name, reason))
            name = reason.importer
        return tuple(way)
