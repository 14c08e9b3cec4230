"""What extension modules import, of which no Python source says anything."""

from __future__ import annotations

import mmap
import re
import sys
from typing import TYPE_CHECKING

from cannery.image.content import OnDisk
from cannery.imports.model import Import, Mentions
from cannery.python.cython_strings import compressed_strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.image.content import Content

__all__ = ["IN_METHODS", "NEVER_RUN", "OF_THE_INTERPRETER", "WHEN_ASKED", "names_in", "read_binary", "read_cython"]

# Modules that the interpreter's own C code imports by name, as its sources have it (PyImport_Import… and the like), and
# what else of its own it loads in no way that can be read.
OF_THE_INTERPRETER: Mapping[str, tuple[str, ...]] = {
    "_asyncio": (
        "asyncio.base_futures", "asyncio.base_tasks", "asyncio.coroutines", "asyncio.events", "asyncio.exceptions",
        "traceback", "weakref",
    ),
    "_codecs_hk": ("_codecs_tw", "_multibytecodec"),
    "_codecs_iso2022": ("_codecs_cn", "_codecs_jp", "_codecs_kr", "_multibytecodec"),
    **{f"_codecs_{each}": ("_multibytecodec",) for each in ("cn", "jp", "kr", "tw")},
    "_curses_panel": ("_curses",),
    "_decimal": ("collections", "collections.abc", "numbers"),
    "_elementtree": ("copy", "pyexpat", "xml.etree.ElementPath"),
    "_io": ("locale", "os"),
    "_json": ("json.decoder",),
    "_pickle": ("_compat_pickle", "codecs", "copyreg", "functools"),
    "_socket": ("encodings.idna",),
    "_sqlite3": ("functools", "sqlite3.dump"),
    "_ssl": ("_socket",),
    "_warnings": ("warnings",),
    "_zoneinfo": ("datetime", "io", "weakref", "zoneinfo._common", "zoneinfo._tzpath"),
    "array": ("collections.abc", "copyreg"),
    "builtins": ("copyreg", "encodings", "traceback", "typing", "unicodedata", "warnings"),
    "importlib.resources": ("importlib.readers",),
    "posix": ("os",),
    "pyexpat": ("encodings",),
    "zoneinfo": ("tzdata.zoneinfo*",),  # PEP 615
    "sysconfig": ("_sysconfigdata_*",),  # its name is that of the platform
}  # fmt: skip

# The same, for who asks a module in C for an attribute.
WHEN_ASKED: Mapping[str, tuple[Import, ...]] = dict.fromkeys(
    ("_datetime", "time"), (Import("_strptime", asked=("strptime",)),)
)

# Imports of Python's own modules that lead nowhere in an image.
NEVER_RUN = {
    # for somebody who types at its prompt: help(), and the keys of a line
    ("_sitebuiltins", "pydoc"), ("site", "readline"), ("site", "rlcompleter"),
    ("site", "_pyrepl.main"), ("site", "_pyrepl.readline"), ("site", "_pyrepl.unix_console"),
    # for a file of macOS
    ("platform", "plistlib"),
    # for the modules that are imported, which call back, and for what they were told to watch or to write
    ("importlib._bootstrap_external", "importlib.metadata"), ("logging", "pickle"),
    ("warnings", "tracemalloc"), ("_py_warnings", "tracemalloc"),
}  # fmt: skip

# Imports in methods that have these names, so that they're run when somebody asks for such.
IN_METHODS: Mapping[tuple[str, str], tuple[str, ...]] = dict.fromkeys(
    (("importlib._bootstrap_external", "importlib.readers"), ("zipimport", "importlib.readers")),
    ("get_resource_reader",),
)

# An import in Cython's language; those at compile time say cimport.
_IN_CYTHON = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]*\(?([\w, \t]+)|import[ \t]+([\w.]+(?:[ \t]*,[ \t]*[\w.]+)*))",
    re.MULTILINE,
)


def read_cython(source: bytes) -> Mentions:
    """What a source in Cython's language imports (``.pyx``)."""
    imports: list[Import] = []
    for dots, module, names, modules in _IN_CYTHON.findall(source):
        if modules:
            imports += [Import(each.strip().decode()) for each in modules.split(b",")]
        else:
            after = tuple(each.split()[0].decode() for each in names.split(b",") if each.strip())
            imports.append(Import(module.decode(), len(dots), after))
    return Mentions(tuple(imports))


_IDENTIFIER = re.compile(rb"(?<=\0)[A-Za-z_]\w{2,40}(?=\0)")  # as C keeps a string
_WITHIN = re.compile(r"\w+_\w+")  # a name that stands for nothing else, wherever it's found


_RUN_TOGETHER = re.compile(rb"[\w.]{24,}")  # names of compressed strings, and no words of documentation
_TELLING = 4  # letters of a name that isn't found in any other


def read_binary(content: Content, name: str, tops: Iterable[str]) -> Mentions:
    """What an extension module called ``name`` may import: modules of its own package, and such as its words name.

    ``tops`` are the top-level modules that are installed besides Python's own.
    """
    with content.open() as stream:
        if isinstance(content, OnDisk) and content.size:
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _read_binary(data, name, tops)
        return _read_binary(stream.read(), name, tops)


def _read_binary(data: bytes | mmap.mmap, name: str, tops: Iterable[str]) -> Mentions:
    words = {match.decode("ascii", "ignore") for match in set(_IDENTIFIER.findall(data))}
    own = name.partition(".")[0]
    others = {top for top in tops if top in words or (_WITHIN.fullmatch(top) and data.find(top.encode()) >= 0)}
    hidden = b"\n".join(_RUN_TOGETHER.findall(compressed_strings(data)))
    within = {each for each in sys.stdlib_module_names | frozenset(tops) if len(each) >= _TELLING}
    others |= {each for each in within if each.encode() in hidden}
    asked = {attribute for imports in WHEN_ASKED.values() for each in imports for attribute in each.asked}
    return Mentions(
        dotted=names_in(data, [own]) | names_in(hidden, [own]),
        binary=frozenset((words & sys.stdlib_module_names) | others) - {own, "test"},
        attributes=frozenset(attribute for attribute in asked if data.find(attribute.encode()) >= 0),
    )


def names_in(data: bytes | mmap.mmap, packages: Iterable[str]) -> frozenset[str]:
    """Dotted names in a binary that begin with one of ``packages``; some compilers lay strings end to end."""
    tops = b"|".join(re.escape(each.encode()) for each in packages)
    pattern, beginning = re.compile(rb"(?:%s)(?:\.\w+)+" % tops), re.compile(rb"(?=(?:%s)\.)" % tops)
    return frozenset(name.decode() for match in pattern.findall(data) for name in beginning.split(match) if name)
