"""Imports of CPython's own modules that no source shows, and imports that sources show and no image runs.

The tables are for every Python from 3.11 on: a row for a module that a version lacks does no harm there. For a new
version of Python:

1. Run ``tests/imports/test_cpython.py`` under it. It imports every module in C alone, and names what came along and is
   not in :data:`OF_THE_INTERPRETER`; it also names the rows whose modules no longer exist.
2. Look for imports that are made later than that, in functions: in CPython's sources,
   ``grep -rn -e PyImport_Import -e PyImport_GetModuleAttr Modules Objects Python Parser``. What a module is about, or
   what any program may come upon, has a row; what one odd call needs has none.
3. For :data:`NEVER_RUN`, compare ``invoke imports`` of an app of one line under the new Python and the one before, and
   ask of each module that is new what it is there for (``--why``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.imports.model import Import

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IN_METHODS", "NEVER_RUN", "OF_THE_INTERPRETER", "WHEN_ASKED"]

# Module -> modules that its C code imports by name, or that it loads by a name made at run time. A "*" stands for any
# letters.
OF_THE_INTERPRETER: Mapping[str, tuple[str, ...]] = {
    "_asyncio": (
        "asyncio.base_futures", "asyncio.base_tasks", "asyncio.coroutines", "asyncio.events", "asyncio.exceptions",
        "traceback", "weakref",
    ),
    "_codecs_hk": ("_codecs_tw", "_multibytecodec"),
    "_codecs_iso2022": ("_codecs_cn", "_codecs_jp", "_codecs_kr", "_multibytecodec"),
    **{f"_codecs_{each}": ("_multibytecodec",) for each in ("cn", "jp", "kr", "tw")},
    "_ctypes": ("ctypes._layout",),  # since 3.14, when a structure is defined
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
    "math": ("_math_integer",),  # since 3.15, as math.integer
    "posix": ("os",),
    "pyexpat": ("encodings",),
    "zoneinfo": ("tzdata.zoneinfo*",),  # PEP 615
    "sysconfig": ("_sysconfigdata_*",),  # its name is that of the platform
}  # fmt: skip

# Module in C -> imports that it makes when it is asked for an attribute.
WHEN_ASKED: Mapping[str, tuple[Import, ...]] = dict.fromkeys(
    ("_datetime", "time"), (Import("_strptime", asked=("strptime",)),)
)

# (importer, imported): imports that no image runs.
NEVER_RUN = {
    # for somebody who types at its prompt: help(), and the keys of a line
    ("_sitebuiltins", "pydoc"), ("site", "readline"), ("site", "rlcompleter"),
    ("site", "_pyrepl.main"), ("site", "_pyrepl.readline"), ("site", "_pyrepl.unix_console"),
    # for a file of macOS
    ("platform", "plistlib"),
    # called back by the module that is imported, which is there then, or for what the program told it to watch or write
    ("importlib._bootstrap_external", "importlib.metadata"), ("logging", "pickle"),
    ("warnings", "tracemalloc"), ("_py_warnings", "tracemalloc"),
}  # fmt: skip

# (importer, imported) -> methods: the import stands in methods of that name, and runs when one is asked for.
IN_METHODS: Mapping[tuple[str, str], tuple[str, ...]] = dict.fromkeys(
    (("importlib._bootstrap_external", "importlib.readers"), ("zipimport", "importlib.readers")),
    ("get_resource_reader",),
)
