"""The archive in an executable: bytecode and data one after another, and an index of them (README.md beside this)."""

from __future__ import annotations

import marshal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.content import Content

__all__ = ["ArchivedModule", "ModuleArchive"]

_HEADER = 16  # bytes of a .pyc file before the code (PEP 552)


@dataclass(frozen=True, slots=True)
class ArchivedModule:
    """A module as the index has it."""

    path: str  # of its source in an image, which tracebacks show
    package: bool
    bytecode: Content | None  # a .pyc file; None for a namespace package


@dataclass
class ModuleArchive:
    """The archive of one executable, the same for the same modules, files and facts in any order."""

    modules: Mapping[str, ArchivedModule]  # by name
    files: Mapping[str, Content]  # package data and metadata, by path in an image
    facts: Mapping[str, Any]  # what the importer has to know, in marshal's types
    places: dict[str, tuple[int, int]] = field(default_factory=dict)  # of modules in the data: offset and size
    bytecode: list[bytes] = field(default_factory=list)  # each module's, in the order in which the data begins with it
    index: tuple[int, int] = (0, 0)  # its offset and size in the data
    data: bytes = b""

    @property
    def bytecode_paths(self) -> list[str]:
        """The paths of the modules whose bytecode is in :attr:`bytecode`, in the same order."""
        return [module.path for _, module in sorted(self.modules.items()) if module.bytecode is not None]

    def __post_init__(self) -> None:
        data = bytearray()

        def put(content: bytes) -> tuple[int, int]:
            place = (len(data), len(content))
            data.extend(content)
            return place

        for name, module in sorted(self.modules.items()):
            if module.bytecode is not None:
                self.bytecode.append(_read(module.bytecode)[_HEADER:])
                self.places[name] = put(self.bytecode[-1])
            else:
                self.places[name] = (0, 0)
        files = {path: put(_read(content)) for path, content in sorted(self.files.items())}
        modules = {
            name: (module.path, module.package, *self.places[name]) for name, module in sorted(self.modules.items())
        }
        self.index = put(marshal.dumps((modules, files, dict(self.facts)), 2))
        self.data = bytes(data)


def _read(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read()
