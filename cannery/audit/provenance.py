"""Whose a file is, by its path: a dependency's, a distribution's, or of whoever made the image."""

from __future__ import annotations

import posixpath
import re
from typing import Final

__all__ = ["is_of_others", "may_be_own"]

_PACKAGES: Final = ("/site-packages/", "/dist-packages/", "/node_modules/")
# Folders that distributions fill (FHS 3.0, chapters 3 and 4), less those in /usr that people put programs into
_DISTRIBUTIONS: Final = re.compile(r"/(?:usr/(?!local/|src/|app/)|lib(?:32|64|x32)?/|s?bin/)")
_DOCUMENTS: Final = re.compile(r"/usr/(?:local/)?share/(?:doc|man|info|help|gtk-doc|examples)/")
_SERVED: Final = re.compile(r"/(?:html|htdocs|webapps?|www|public)/")  # a server's documents, wherever it was packaged
_LIBRARY: Final = re.compile(r"\.so(\.\d+)*$")


def is_of_others(path: str) -> bool:
    """True for a dependency's file, a distribution's and a shared library: all have keys to test themselves with.

    What an installer writes about a dependency is of whoever installed it.
    """
    return _LIBRARY.search(path) is not None or _lies_with_others(path)


def may_be_own(path: str) -> bool:
    """True for a file that may be the app's: which ones are is known from the configuration, which may come last."""
    return not _lies_with_others(path) and "/lib/python3" not in path


def _lies_with_others(path: str) -> bool:
    if posixpath.basename(path) == "direct_url.json":
        return False
    if any(mark in path for mark in _PACKAGES) or _DOCUMENTS.match(path):
        return True
    return _DISTRIBUTIONS.match(path) is not None and _SERVED.search(path) is None
