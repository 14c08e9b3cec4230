"""Whether anything but the interpreter may look for the CA certificates of a system."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.image.tree import File, LazyTree
    from cannery.workspace.workspace import Workspace

__all__ = ["is_trusting"]

# Where systems keep them, and the variables that say where they are.
_PLACES = re.compile(
    rb"ssl/certs(?!/?\w)|/ssl/cert\.pem|pki/tls|ca-trust|ca-certificates\.crt|ca-bundle|SSL_CERT_(FILE|DIR)|CA_BUNDLE"
)
_PIECE = 1 << 20  # bytes
_OVERLAP = 32  # bytes, more than the longest of those names has


def is_trusting(trees: Iterable[LazyTree], workspace: Workspace) -> bool:
    """Whether a file of ``trees`` names a place where certificates are, or a variable that does."""
    return any(_names_one(tree, workspace) for tree in trees)


def _names_one(tree: LazyTree, workspace: Workspace) -> bool:
    key = key_of(code_key(__name__), tree.key)
    known = workspace.cache.recall("trusting", key)
    if known is None:
        known = {"is": any(_has(file) for _, file in tree.tree.files())}
        workspace.cache.remember("trusting", key, known)
    return bool(known["is"])


def _has(file: File) -> bool:
    with file.content.open() as stream:
        before = b""
        while piece := stream.read(_PIECE):
            if _PLACES.search(before + piece):
                return True
            before = piece[-_OVERLAP:]
    return False
