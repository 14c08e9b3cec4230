"""Imports of others that wait until something is used: what code imports at its beginning, it may never need."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["postponed"]


@contextmanager
def postponed(module: str, *called: str) -> Iterator[None]:
    """What is imported within this has a stand-in for ``module``, which imports that once something of it is asked for.

    The names in ``called`` are only ever called: these may be imported from it by name, and the call imports the
    module. A module that has been imported already is nothing to wait for, and whoever imports it afterwards gets it.
    """
    if module in sys.modules:
        yield
        return
    sys.modules[module] = stand_in = _stand_in(module, called)
    try:
        yield
    finally:
        _withdraw(stand_in)


def _stand_in(module: str, called: tuple[str, ...]) -> ModuleType:
    stand_in = ModuleType(module)

    def of_the_module(name: str) -> Any:
        if name == "__path__":  # the import itself asks for it, to tell a package
            raise AttributeError(name)
        _withdraw(stand_in)
        return getattr(import_module(module), name)

    def calling(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            return of_the_module(name)(*arguments, **keywords)

        return call

    vars(stand_in).update({name: calling(name) for name in called}, __getattr__=of_the_module)
    return stand_in


def _withdraw(stand_in: ModuleType) -> None:
    if sys.modules.get(stand_in.__name__) is stand_in:
        del sys.modules[stand_in.__name__]
