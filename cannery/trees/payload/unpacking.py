"""Loads extension modules that the image keeps compressed, or libraries of theirs, unpacked into memory.

That's done when a module is first imported. It goes into images, so it's written for their Python, and imports nothing
of cannery's. Each file was cut into blocks, which are unpacked at the same time.
"""

import _imp
import os
import sys
from importlib import import_module
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location

_tables = import_module(f"{__name__}_tables")  # made for each image, beside this module
# Module -> a file beside this one; its blocks, each with its size and its unpacked size, or none where it isn't
# compressed; the libraries that it needs, in the order to load them
MODULES: dict[str, tuple[str, list[tuple[int, int]], list[str]]] = _tables.MODULES
# Library -> a file beside this one, and its blocks
LIBRARIES: dict[str, tuple[str, list[tuple[int, int]]]] = _tables.LIBRARIES

_FORBIDDEN = (
    "this machine forbids programs in memory (vm.memfd_noexec, or a security module), and the image keeps {name} "
    "compressed: build it with  [tool.cannery]  compress = false"
)


class CompressedLoader(ExtensionFileLoader):
    """Loads a module from the file that it's unpacked into, which has no name and no disk below it."""

    def __init__(self, name: str, path: str, blocks: list[tuple[int, int]], libraries: list[str]) -> None:
        super().__init__(name, path)
        self._blocks = blocks
        self._libraries = libraries

    def create_module(self, spec: ModuleSpec):  # type: ignore[no-untyped-def]  # noqa: ANN201  # as importlib has it
        """Unpack the module, and load it."""
        for library in self._libraries:
            _load_library(library)
        if not self._blocks:
            return super().create_module(spec)
        path = spec.origin
        memory = _unpacked(self.name, self.path, self._blocks)
        try:
            spec.origin = f"/proc/self/fd/{memory}"  # stays open: a loader takes libraries of one name for one
            module = super().create_module(spec)
        except ImportError as error:
            raise _explained(error, self.name) from error
        finally:
            spec.origin = path
        module.__file__ = path
        return module


def _load_library(name: str) -> None:
    """Load a library that a module links to: whoever asks for one of that name gets it from now on.

    The interpreter loads what is no module, too, before it finds that out.
    """
    if name not in LIBRARIES:
        return
    file, blocks = LIBRARIES.pop(name)
    memory = _unpacked(name, _beside(file), blocks)
    try:
        _imp.create_dynamic(ModuleSpec(name.partition(".")[0], None, origin=f"/proc/self/fd/{memory}"))
    except ImportError as error:
        explained = _explained(error, name)
        if explained is not error:
            raise explained from error


def _explained(error: ImportError, name: str) -> ImportError:
    """The error, or one that says what is forbidden and what to do."""
    if "failed to map" in str(error) or "not permitted" in str(error):
        return ImportError(_FORBIDDEN.format(name=name), name=name)
    return error


def _beside(file: str) -> str:
    return os.path.normpath(os.path.join(os.path.dirname(__file__), file))  # pathlib is slow to import


class CompressedFinder:
    """Finds the modules that are compressed or need what is, and no other."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """The specification of such a module (``importlib.abc.MetaPathFinder``)."""
        if name not in MODULES:
            return None
        file, blocks, libraries = MODULES[name]
        path = _beside(file)
        return spec_from_file_location(name, path, loader=CompressedLoader(name, path, blocks, libraries))


def _unpacked(name: str, path: str, blocks: list[tuple[int, int]]) -> int:
    """A file in memory that holds the module."""
    try:
        memory = os.memfd_create(name, os.MFD_CLOEXEC | getattr(os, "MFD_EXEC", 0x10))
    except OSError:
        try:
            memory = os.memfd_create(name, os.MFD_CLOEXEC)  # Linux before 6.3 knows no MFD_EXEC
        except OSError as error:
            raise ImportError(_FORBIDDEN.format(name=name), name=name) from error
    from threading import Thread  # noqa: PLC0415  # most programs that start never come here

    start, place, threads = 0, 0, []
    for size, unpacked in blocks:
        threads.append(Thread(target=_unpack, args=(path, start, size, memory, place)))
        start, place = start + size, place + unpacked
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if os.fstat(memory).st_size != place:
        raise ImportError(f"{path} can't be unpacked: it has {os.fstat(memory).st_size} bytes of {place}", name=name)
    return memory


def _unpack(path: str, start: int, left: int, memory: int, place: int) -> None:
    """Unpack the block of ``path`` at ``start`` into ``memory`` at ``place``, a piece at a time."""
    from lzma import LZMADecompressor  # noqa: PLC0415

    decompressor = LZMADecompressor()
    with open(path, "rb") as stream:
        stream.seek(start)
        while left > 0 and (data := stream.read(min(left, 1 << 18))):
            left -= len(data)
            unpacked = decompressor.decompress(data)
            place += os.pwrite(memory, unpacked, place)


sys.meta_path.insert(0, CompressedFinder)
