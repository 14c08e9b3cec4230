"""Loaded as ``sitecustomize`` by every Python that a traced program starts: notes what it imports and opens.

Each line in the file that TRACED_INTO names has three words between tabs: "import" with the importer and the module;
"open" with the file of the project whose code opens it, if any, and the path; "library" with that file and the name;
"program" with that file and the name of what another process is to run.
It's written at once, as processes may end in any way.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_IMPORT_SYSTEM = {"importlib", "_frozen_importlib", "_frozen_importlib_external"}
_CODE = (".py", ".pyc", ".so", ".pth")  # which imports open
_STARTING = ("os.exec", "os.posix_spawn", "subprocess.Popen")  # audit events, whose first argument is the program
_OPENING = {"open": "open", "sqlite3.connect": "open", "ctypes.dlopen": "library"}  # audit events


class Notes:
    """A finder that finds nothing, and so is asked about every module; and a hook that is told of opened files."""

    def __init__(self, path: str, folder: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        self.folder = os.path.join(folder, "")  # noqa: PTH118  # pathlib would be imported for this

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        """Note the name, and leave it to the other finders."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # who imports is in no argument
        while frame is not None and _module_of(frame).partition(".")[0] in _IMPORT_SYSTEM:
            frame = frame.f_back
        self.write("import", "" if frame is None else _importer(frame), name)

    def audit(self, event: str, arguments: tuple[object, ...]) -> None:
        """Note a file of the project that is opened to be read, and the name of any shared library or program."""
        if event == "os.system":
            self.write("program", self.opener(), "sh")
        elif (
            event in _STARTING
            and isinstance(name := arguments[0], str | bytes | os.PathLike)
            and not _finds_library(sys._getframe(1))  # noqa: SLF001
        ):
            self.write("program", self.opener(), os.fsdecode(name))
        kind = _OPENING.get(event)
        if kind is None or not isinstance(name := arguments[0], str | bytes | os.PathLike):
            return
        text = os.fsdecode(name)
        if kind == "library":
            self.write(kind, self.opener(), text)
        elif not text.endswith(_CODE) and (event != "open" or _reads(arguments)):
            path = os.path.abspath(text)  # noqa: PTH100
            if path.startswith(self.folder):
                self.write(kind, self.opener(), path)

    def opener(self) -> str:
        """The innermost file of the project whose code is running; empty where there is none in this thread."""
        frame: FrameType | None = sys._getframe(2)  # noqa: SLF001
        while frame is not None:
            path = os.path.abspath(frame.f_code.co_filename)  # noqa: PTH100
            if path.startswith(self.folder) and "/site-packages/" not in path:
                return path
            frame = frame.f_back
        return ""

    def write(self, *words: str) -> None:
        """Add a line, unless a word would break it."""
        if not any("\n" in word or "\t" in word for word in words):
            os.write(self.file, ("\t".join(words) + "\n").encode("utf-8", "replace"))


def _reads(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and flags & os.O_ACCMODE == os.O_RDONLY


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _finds_library(frame: FrameType | None) -> bool:
    """True within ``find_library``, which asks ldconfig or a compiler: what counts is the library."""
    while frame is not None:
        if _module_of(frame) == "ctypes.util":
            return True
        frame = frame.f_back
    return False


def _importer(frame: FrameType) -> str:
    """The module's own name, even where it's run as the program."""
    name = _module_of(frame)
    if name != "__main__":
        return name
    spec, file = frame.f_globals.get("__spec__"), frame.f_globals.get("__file__", "")
    return str(spec.name) if spec is not None else os.path.basename(file).removesuffix(".py")  # noqa: PTH119


def start() -> None:
    """Begin, and make way for a module of this name that is there already."""
    notes = Notes(os.environ["TRACED_INTO"], os.environ["TRACED_FOLDER"])
    sys.meta_path.insert(0, notes)
    sys.addaudithook(notes.audit)
    sys.path.remove(os.path.dirname(__file__))  # noqa: PTH120  # pathlib would be imported for this
    ours = sys.modules.pop("sitecustomize")
    try:
        __import__("sitecustomize")
    except ModuleNotFoundError:
        sys.modules["sitecustomize"] = ours


if __name__ == "sitecustomize":
    start()
