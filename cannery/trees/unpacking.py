"""Loads extension modules that the image keeps compressed: unpacked into memory when they're first imported.

It goes into images, so it's written for their Python, and imports nothing of cannery's. Each module's file was cut into
blocks, which are unpacked at the same time.
"""

import os
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location

PACKED: dict[str, tuple[str, list[tuple[int, int]]]] = {}  # module -> file beside this one, blocks: size, unpacked size

_FORBIDDEN = (
    "this machine forbids programs in memory (vm.memfd_noexec, or a security module), and the image keeps {name} "
    "compressed: build it with  [tool.cannery]  compress = false"
)


class PackedLoader(ExtensionFileLoader):
    """Loads a module from the file that it's unpacked into, which has no name and no disk below it."""

    def __init__(self, name: str, path: str, blocks: list[tuple[int, int]]) -> None:
        super().__init__(name, path)
        self._blocks = blocks

    def create_module(self, spec: ModuleSpec):  # type: ignore[no-untyped-def]  # noqa: ANN201  # as importlib has it
        """Unpack the module, and load it."""
        path = spec.origin
        memory = _unpacked(self.name, self.path, self._blocks)
        try:
            spec.origin = f"/proc/self/fd/{memory}"  # stays open: a loader takes libraries of one name for one
            module = super().create_module(spec)
        except ImportError as error:
            if "failed to map" in str(error) or "not permitted" in str(error):
                raise ImportError(_FORBIDDEN.format(name=self.name), name=self.name) from error
            raise
        finally:
            spec.origin = path
        module.__file__ = path
        return module


class PackedFinder:
    """Finds the modules that are packed, and no other."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """The specification of a packed module (``importlib.abc.MetaPathFinder``)."""
        if name not in PACKED:
            return None
        file, blocks = PACKED[name]
        path = os.path.join(os.path.dirname(__file__), file)  # pathlib is slow to import
        return spec_from_file_location(name, path, loader=PackedLoader(name, path, blocks))


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


if PACKED:
    sys.meta_path.insert(0, PackedFinder)
