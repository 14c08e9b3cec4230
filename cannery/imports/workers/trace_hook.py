"""Loaded as ``sitecustomize`` by every Python that a traced command starts: notes who imports what.

A line for each in the file that CANNERY_TRACE names: the importer, a tab, the module. It's written at once, as
processes may end in any way.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_IMPORT_SYSTEM = {"importlib", "_frozen_importlib", "_frozen_importlib_external"}


class Notes:
    """A finder that finds nothing, and so is asked about every module."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        """Note the name, and leave it to the other finders."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # who imports is in no argument
        while frame is not None and _module_of(frame).partition(".")[0] in _IMPORT_SYSTEM:
            frame = frame.f_back
        importer = "" if frame is None else _importer(frame)
        os.write(self.file, f"{importer}\t{name}\n".encode("utf-8", "replace"))


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _importer(frame: FrameType) -> str:
    """The module's own name, even where it's run as the program."""
    name = _module_of(frame)
    if name != "__main__":
        return name
    spec, file = frame.f_globals.get("__spec__"), frame.f_globals.get("__file__", "")
    return str(spec.name) if spec is not None else os.path.basename(file).removesuffix(".py")  # noqa: PTH119


def start() -> None:
    """Begin, and make way for a module of this name that is there already."""
    sys.meta_path.insert(0, Notes(os.environ["CANNERY_TRACE"]))
    sys.path.remove(os.path.dirname(__file__))  # noqa: PTH120  # pathlib would be imported for this
    ours = sys.modules.pop("sitecustomize")
    try:
        __import__("sitecustomize")
    except ModuleNotFoundError:
        sys.modules["sitecustomize"] = ours


if __name__ == "sitecustomize":
    start()
