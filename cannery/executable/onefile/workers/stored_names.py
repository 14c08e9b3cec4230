"""Run by PyInstaller with ``bundle_spec.py``: how its graph learns the names of modules, in a fraction of the time.

Of the bytecode of a module whose source it has, the graph wants to know nothing but which names it stores and deletes.
It has :mod:`dis` describe each instruction for that, in words, which takes a third of the whole analysis.
"""

from __future__ import annotations

import inspect
from opcode import EXTENDED_ARG, opmap
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STORING = frozenset(opmap[name] for name in ("STORE_NAME", "STORE_GLOBAL"))
DELETING = frozenset(opmap[name] for name in ("DELETE_NAME", "DELETE_GLOBAL"))


def stored_names(code: CodeType) -> Iterator[tuple[bool, str]]:
    """The names that ``code`` and the code in it store (True) and delete (False), in the order of the instructions."""
    instructions = code.co_code  # two bytes each: operation and argument; the caches between them are zero
    if not (STORING | DELETING).isdisjoint(instructions[::2]):
        high = 0
        for operation, low in zip(instructions[::2], instructions[1::2], strict=True):
            argument = high | low
            high = argument << 8 if operation == EXTENDED_ARG else 0
            if operation in STORING or operation in DELETING:
                yield operation in STORING, code.co_names[argument]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from stored_names(constant)


def read_quickly(graph: Any) -> None:
    """Have the class ``graph`` (PyInstaller's ModuleGraph) read stored names by :func:`stored_names`.

    A graph that has no such method, or one that takes something else, stays as it is.
    """
    thorough: Callable[..., None] | None = getattr(graph, "_scan_bytecode", None)
    taken = ["self", "module", "module_code_object", "is_scanning_imports"]
    if thorough is None or list(inspect.signature(thorough).parameters) != taken:
        return

    def scan(self: Any, module: Any, module_code_object: CodeType, is_scanning_imports: bool) -> None:  # noqa: FBT001
        if is_scanning_imports:
            thorough(self, module, module_code_object, is_scanning_imports)
            return
        for stored, name in stored_names(module_code_object):
            if stored:
                module.add_global_attr(name)
            else:
                module.remove_global_attr_if_found(name)

    graph._scan_bytecode = scan  # noqa: SLF001
