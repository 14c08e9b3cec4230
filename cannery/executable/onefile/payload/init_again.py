"""Run first in a bundled program: ``from .__init__ import x`` runs the package's module once more.

Python finds the file ``__init__.py`` for it, as a module and no package; PyInstaller's finder makes it a package, which
has a folder of its own for a place.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


class InitLoader:
    """Runs the code of a package as that of a module."""

    def __init__(self, loader: "Any", package: str) -> None:
        self.loader = loader
        self.package = package

    def create_module(self, spec: "ModuleSpec") -> None:
        """Leave it to Python to make the module."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run the package's code in ``module``; machine code runs once, so that gets what the package has by now."""
        code = self.loader.get_code(self.package)
        if code is not None:
            exec(code, module.__dict__)  # noqa: S102  # as importlib does
            return
        has = vars(sys.modules[self.package])
        module.__dict__.update({name: value for name, value in has.items() if not name.startswith("__")})


class InitFinder:
    """Finds ``package.__init__`` where the package is there."""

    def find_spec(
        self,
        name: str,
        path: object = None,  # noqa: ARG002
        target: object = None,  # noqa: ARG002
    ) -> "ModuleSpec | None":
        """The specification of a module with the package's file."""
        package = name.removesuffix(".__init__")
        spec: ModuleSpec | None = getattr(sys.modules.get(package), "__spec__", None) if package != name else None
        if spec is None or not hasattr(spec.loader, "get_code"):
            return None
        found = type(spec)(name, InitLoader(spec.loader, package), origin=spec.origin)  # type: ignore[arg-type]  # duck
        found.has_location = True
        return found


sys.meta_path.insert(0, InitFinder())
