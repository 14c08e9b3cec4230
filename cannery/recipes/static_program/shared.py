"""The shared libraries that an app and its dependencies bring, for the program that they shall be loaded by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError
from cannery.executable.kit.symbols import symbols_of_kit
from cannery.executable.static.libraries import SharedLibraries
from cannery.recipes.static_program.extensions import is_shared_library
from cannery.workspace.invocation import program_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.executable.kit.kit import Kit
    from cannery.image.tree import LazyTree
    from cannery.workspace.workspace import Workspace

__all__ = ["shared_libraries"]

_MACHINES: Final = {"linux/amd64": "EM_X86_64", "linux/arm64": "EM_AARCH64"}


def shared_libraries(kit: Kit, trees: Iterable[LazyTree], workspace: Workspace) -> SharedLibraries:
    """The shared libraries in ``trees``, to be loaded by a program that is linked from ``kit``.

    Raises :class:`ConfigurationError` where the kit has nothing to load them with.
    """
    if not kit.linker.is_dir():
        raise ConfigurationError(
            "the app needs a dynamic linker, for extension modules or for what ctypes calls, and the kit has none",
            evidence=f"the kit of Python {kit.interpreter.version_text} is of an earlier version of cannery",
            step=f"make it anew: {program_name()} kit",
        )
    files = {path: file.content for tree in trees for path, file in tree.tree.files() if is_shared_library(path)}
    return SharedLibraries(files, symbols_of_kit(kit, workspace), _MACHINES[kit.target.platform])
