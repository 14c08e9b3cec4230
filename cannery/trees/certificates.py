"""A search for files that may look for a system's CA certificates: nobody else misses them, where Python has no TLS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.image.tree import File, LazyTree
    from cannery.workspace.workspace import Workspace

__all__ = ["looks_for_certificates"]

# Where systems keep them, and the variables that say where they are.
_PLACES = re.compile(
    rb"ssl/certs(?!/?\w)|/ssl/cert\.pem|pki/tls|ca-trust|ca-certificates\.crt|ca-bundle|SSL_CERT_(FILE|DIR)|CA_BUNDLE"
)
_PIECE = 1 << 20  # bytes
_OVERLAP = 32  # bytes of a piece that are looked at again with the next: more than any of the names has


def looks_for_certificates(trees: Iterable[LazyTree], workspace: Workspace) -> bool:
    """True where a file of ``trees`` names a place where systems keep certificates, or a variable that says where."""
    return any(_names_one(tree, workspace) for tree in trees)


def _names_one(tree: LazyTree, workspace: Workspace) -> bool:
    key = key_of(code_key(__name__), tree.key)
    known = workspace.cache.recall("certificates", key)
    if known is None:
        known = {"is": any(_has(file) for _, file in tree.tree.files())}
        workspace.cache.remember("certificates", key, known)
    return bool(known["is"])


def _has(file: File) -> bool:
    with file.content.open() as stream:
        before = b""
        while piece := stream.read(_PIECE):
            if _PLACES.search(before + piece):
                return True
            before = piece[-_OVERLAP:]
    return False
