"""The app's modules as extension modules, for the Python that an image has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import msgspec

from cannery.errors import ConfigurationError
from cannery.image.platform import TRIPLETS
from cannery.python.abi import abi_of
from cannery.python.interpreter import same_minor
from cannery.trees.cython.extensions import compiler_for
from cannery.trees.cython.transform import cython
from cannery.trees.installed import entry_files
from cannery.trees.transforms.bytecode import bytecode
from cannery.trees.transforms.glibc import no_newer_than

if TYPE_CHECKING:
    from cannery.image.image import Base
    from cannery.image.platform import Platform
    from cannery.image.tree import LazyTree, Transform
    from cannery.project.app import App
    from cannery.project.settings import CythonSettings
    from cannery.python.abi import Abi
    from cannery.python.interpreter import Interpreter
    from cannery.trees.base.python import BasePython
    from cannery.workspace.workspace import Workspace

__all__ = ["compiled", "compiled_on"]

_OLDEST_GLIBC = "2.17"  # the oldest that zig has for every machine: modules for it run on any newer one


def compiled(code: LazyTree, app: App, python: Interpreter, workspace: Workspace) -> LazyTree:
    """``code`` with extension modules for ``python``.

    Modules that aren't compiled stay sources. Raises :class:`ToolError` where Cython or a C compiler is missing.
    """
    if python.libc is None:
        return code | _transform(app, abi_of(python, workspace), app.settings.cython, workspace)
    target = _ForeignPython(python.version, python.platform, *python.libc, "the runtime")
    return _compiled_for(target, code, app, same_minor(python.version, workspace), workspace)


def compiled_on(base: Base, target: BasePython, code: LazyTree, app: App, workspace: Workspace) -> LazyTree:
    """``code`` with extension modules for ``target``, the Python of ``base``, and bytecode of the modules left.

    Nothing of the base is run: a Python of its minor version on this machine has the same headers and bytecode.
    """
    settings = app.settings
    python = same_minor(target.version, workspace)
    on_base = _ForeignPython(target.version, base.platform, target.libc, target.libc_version, base.name)
    return _compiled_for(on_base, code, app, python, workspace) | bytecode(
        python, workspace, optimize=settings.optimize, keep_sources=settings.keep_sources, import_roots=app.image_roots
    )


@dataclass(frozen=True, slots=True)
class _ForeignPython:
    """A Python that doesn't run here."""

    version: tuple[int, ...]
    platform: Platform
    libc: Literal["glibc", "musl"]
    libc_version: tuple[int, int]
    name: str  # for messages: where it comes from

    @property
    def triplet(self) -> str:
        """Its platform, as Zig and the names of extension modules have it."""
        return f"{TRIPLETS[self.platform.architecture]}-linux-{_C_LIBRARIES[self.libc]}"


_C_LIBRARIES = {"glibc": "gnu", "musl": "musl"}


def _compiled_for(
    target: _ForeignPython, code: LazyTree, app: App, python: Interpreter, workspace: Workspace
) -> LazyTree:
    """``code`` with extension modules for ``target``, by the headers of ``python``, which runs here."""
    own = abi_of(python, workspace)
    abi = replace(own, suffix=f".cpython-{''.join(map(str, python.version[:2]))}-{target.triplet}.so")
    how = app.settings.cython
    if how.target is None and abi.suffix != own.suffix:
        oldest = f".{_OLDEST_GLIBC}" if target.libc == "glibc" else ""
        how = msgspec.structs.replace(how, target=f"{target.triplet}{oldest}")
    modules = code | _transform(app, abi, how, workspace)
    if target.libc == "glibc":
        modules |= no_newer_than(target.libc_version, target.triplet, target.name)
    return modules


def _transform(app: App, abi: Abi, how: CythonSettings, workspace: Workspace) -> Transform:
    compiler = compiler_for(abi, how, workspace)
    if compiler.abi.suffix != abi.suffix:
        raise ConfigurationError(
            f"the image's Python imports no module that is compiled for target = {how.target!r}",
            evidence=f"it looks for {abi.suffix}, and they end in {compiler.abi.suffix}",
            step="correct  [tool.cannery.cython]  target, or leave it out",
        )
    exclude = (*how.exclude, *app.settings.keep_sources)
    return cython(compiler, workspace, import_roots=app.image_roots, scripts=entry_files(app), exclude=exclude)
