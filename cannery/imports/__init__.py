"""Which modules a program imports, and why: read from sources, with nothing of the program run.

The names below are for other projects to use. For a program in the folder ``src`` and its dependencies in another:

>>> import sys
>>> from cannery.imports import analyse
>>> found = analyse("src", start="shop.__main__", installed="site-packages", python=sys.executable)
>>> [name for name, module in found.modules.items() if module.place == "dependencies"]
['money', 'money.rates']
>>> found.why("money.rates")  # imported by a module of the program's own
(('money.rates', Reason(importer='shop.prices', how='imported')), ('shop.prices', Reason(importer='', how='own')))
>>> found.missing["gift"].importers
('shop.prices',)

What is followed: the import system's statements and functions (https://docs.python.org/3/reference/import.html), module
``__getattr__`` (PEP 562), entry points (https://packaging.python.org/specifications/entry-points/), strings that name
modules; ``docs/imports.md`` has the whole table.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cannery.imports.library import analyse
    from cannery.imports.model import Missing, Module, Reach, Reason

__all__ = ["Missing", "Module", "Reach", "Reason", "analyse"]

_MODULES = {"analyse": "library", **dict.fromkeys(("Missing", "Module", "Reach", "Reason"), "model")}

if not TYPE_CHECKING:  # a type checker knows the names from above, and that there are no others

    def __getattr__(name: str) -> object:
        """A name of ``__all__``, imported when it's asked for (PEP 562): most of cannery needs one module of these."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
