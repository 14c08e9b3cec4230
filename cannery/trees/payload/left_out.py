"""Says of a module that was left out of the image which setting takes it in.

It goes into images, so it's written for their Python, and imports nothing of cannery's. A module that was left out is
told from one that was never there by a list beside this, which is read when the first import fails.
``importlib.util.find_spec``, by which programs ask what there is, answers as ever.
"""

import os
import sys

NAMES = f"{os.path.splitext(__file__)[0]}.txt"


class LeftOut:
    """The last finder of all: it finds what finders find that are added later, and says more about what was left out.

    Its protocol is that of importlib.abc.MetaPathFinder.
    """

    _names: "frozenset[str] | None" = None

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """The specification that others have; raises where an import would raise anyway."""
        finders = sys.meta_path
        for finder in finders[finders.index(self) + 1 :]:  # type: ignore[arg-type]  # as others have it
            spec = finder.find_spec(name, path, target)  # type: ignore[arg-type]
            if spec is not None:
                return spec
        caller = sys._getframe(2).f_code.co_name  # noqa: SLF001  # nothing else tells an import from a question
        if caller == "_find_and_load_unlocked" and name in self._left_out():
            why = f'cannery left it out, as no import led to it: add it with  [tool.cannery]  include = ["{name}"]'
            raise ModuleNotFoundError(f"No module named {name!r} in this image: {why}", name=name)
        return None

    def _left_out(self) -> "frozenset[str]":
        if self._names is None:
            with open(NAMES, encoding="utf-8") as stream:
                self._names = frozenset(stream.read().split())
        return self._names


sys.meta_path.append(LeftOut())  # type: ignore[arg-type]
