"""Run first in a bundled program: ``find_library`` finds what the program brings where the system has none of it.

It asks ldconfig, cc and ld, which an image doesn't have.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Protocol

    class Executing(Protocol):
        """A loader (importlib.abc.Loader)."""

        def exec_module(self, module: ModuleType) -> None:
            """Run the module's code."""
            ...


class FollowedLoader:
    """Loads ``ctypes.util`` as another loader does, and lets its function look into the program's folder as well."""

    def __init__(self, loader: "Executing") -> None:
        self.loader = loader

    def __getattr__(self, name: str) -> "Any":
        """All else that loaders have."""
        return getattr(self.loader, name)

    def exec_module(self, module: "ModuleType") -> None:
        """Run the module, and replace its function."""
        self.loader.exec_module(module)
        found_by_programs = module.find_library

        def find_library(name: str) -> "str | None":
            """Return the name of a shared library: as programs tell it, or else as it lies in the bundle."""
            own = sorted(each for each in os.listdir(sys._MEIPASS) if each.startswith(f"lib{name}.so"))  # type: ignore[attr-defined]  # noqa: PTH208, SLF001
            return found_by_programs(name) or (own[0] if own else None)

        module.find_library = find_library  # type: ignore[attr-defined]  # it has one


class UtilFinder:
    """Finds ``ctypes.util`` where others do."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """The specification that the other finders have, with a loader of ours."""
        if name != "ctypes.util":
            return None
        specs = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)  # type: ignore[arg-type]  # duck
        spec = next(filter(None, specs), None)
        if spec is not None and spec.loader is not None:
            spec.loader = FollowedLoader(spec.loader)  # type: ignore[assignment]  # it has all that loaders have
        return spec


sys.meta_path.insert(0, UtilFinder())
