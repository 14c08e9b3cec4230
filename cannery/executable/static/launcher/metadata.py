"""The metadata of distributions in the executable, for importlib.metadata."""

import importlib.metadata
import pathlib

from _cannery_importer import files, loader

_FOLDERS = {folder for folder in (path.rpartition("/")[0] for path in files) if folder.endswith(".dist-info")}


class Distribution(importlib.metadata.Distribution):
    """What is installed in the executable, by its .dist-info folder."""

    def __init__(self, folder):
        self._folder = folder

    def read_text(self, filename):
        path = f"{self._folder}/{filename}"
        return loader.get_data(path).decode() if path in files else None

    def locate_file(self, path):
        return pathlib.PurePosixPath(self._folder).parent / path


def distributions(context):
    """The distributions that ``context`` asks for: all, or the one of a name."""
    wanted = getattr(context, "name", None)
    for folder in sorted(_FOLDERS):
        name = folder.rpartition("/")[2].partition("-")[0]
        if wanted is None or _normal(name) == _normal(wanted):
            yield Distribution(folder)


def _normal(name):
    return importlib.metadata.Prepared.normalize(name)
