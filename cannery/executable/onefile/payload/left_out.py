"""Run first in a bundled program: says which setting brings in a module that isn't there.

A module that could have been bundled and wasn't is told from one that was never there; only the former gets another
message. ``importlib.util.find_spec``, by which programs ask what there is, answers as ever.
"""

import sys


class LeftOut:
    """The last finder of all: it finds what finders find that are added later, and says more about what was left out.

    Its protocol is that of importlib.abc.MetaPathFinder.
    """

    def __init__(self, known: "frozenset[str]", without: "frozenset[str]") -> None:
        self.known = known
        self.without = without

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """The specification that others have; raises where an import would raise anyway."""
        finders = sys.meta_path
        for finder in finders[finders.index(self) + 1 :]:  # type: ignore[arg-type]  # as others have it
            spec = finder.find_spec(name, path, target)  # type: ignore[arg-type]
            if spec is not None:
                return spec
        caller = sys._getframe(2).f_code.co_name  # noqa: SLF001  # nothing else tells an import from a question
        if caller != "_find_and_load_unlocked" or name not in self.known:
            return None
        if name in self.without or name.partition(".")[0] in self.without:
            why = "[tool.cannery.onefile] without names it"
        else:
            why = f'cannery left it out, as no import led to it: add it with  [tool.cannery]  include = ["{name}"]'
        raise ModuleNotFoundError(f"No module named {name!r} in this program: {why}", name=name)
