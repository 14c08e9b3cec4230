"""Run first in a bundled program: says which setting brings in a module that isn't there.

A module that could have been bundled and wasn't is told from one that was never there; only the former gets another
message. ``importlib.util.find_spec``, by which programs ask what there is, answers as ever.
"""

import sys


class LeftOut:
    """The last finder of all: it finds nothing, and says more about what was left out."""

    def __init__(self, known: "frozenset[str]", without: "frozenset[str]") -> None:
        self.known = known
        self.without = without

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002  # the protocol
        """Raise where an import would raise anyway (importlib.abc.MetaPathFinder)."""
        top = name.partition(".")[0]
        caller = sys._getframe(2).f_code.co_name  # noqa: SLF001  # nothing else tells an import from a question
        if caller != "_find_and_load_unlocked" or top not in self.known:
            return
        if top in self.without or name in self.without:
            why = "[tool.cannery.onefile] without names it"
        else:
            why = f'no import led to it: add it with  [tool.cannery]  include = ["{name}"]'
        raise ModuleNotFoundError(f"No module named {name!r} in this program, as {why}", name=name)
