"""Package data in the executable, for importlib.resources."""

import io
from importlib.resources.abc import Traversable, TraversableResources

from _cannery_importer import files, loader

_FOLDERS = {}
for _path in files:
    while _path:
        _above, _, _name = _path.rpartition("/")
        if _name in _FOLDERS.setdefault(_above, {}):
            break
        _FOLDERS[_above][_name] = True
        _path = _above


class Entry(Traversable):
    """A file or a folder in the executable."""

    def __init__(self, path):
        self._path = path

    @property
    def name(self):
        return self._path.rpartition("/")[2]

    def iterdir(self):
        return (Entry(f"{self._path}/{name}") for name in _FOLDERS.get(self._path, ()))

    def is_dir(self):
        return self._path in _FOLDERS

    def is_file(self):
        return self._path in files

    def joinpath(self, *descendants):
        path = self._path
        for part in "/".join(map(str, descendants)).split("/"):
            path = path.rpartition("/")[0] if part == ".." else f"{path}/{part}" if part not in {"", "."} else path
        return Entry(path)

    __truediv__ = joinpath

    def open(self, mode="r", *args, **kwargs):
        stream = io.BytesIO(self.read_bytes())
        return stream if "b" in mode else io.TextIOWrapper(stream, *args, **kwargs)

    def read_bytes(self):
        return loader.get_data(self._path)

    def read_text(self, encoding=None):
        return self.read_bytes().decode(encoding or "utf-8")

    def __str__(self):
        return self._path

    def __repr__(self):
        return f"Entry({self._path!r})"


class Reader(TraversableResources):
    """The data of one package."""

    def __init__(self, folder):
        self._folder = folder

    def files(self):
        return Entry(self._folder)
