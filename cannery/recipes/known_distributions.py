"""What the metadata of an app's dependencies say, and which modules a standard library has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.bom.distributions import DistributionMetadata, read_metadata
from cannery.image.content import OnDisk
from cannery.imports.places import known_modules, standard_library
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.tree import File, LazyTree
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["distributions_in_code", "distributions_of", "library_of"]


def library_of(python: Interpreter, workspace: Workspace) -> frozenset[str]:
    """The modules of the whole standard library of ``python`` that are files."""
    return frozenset(known_modules([standard_library(python)], workspace))


def distributions_of(wheels: LazyTree, workspace: Workspace) -> dict[str, DistributionMetadata]:
    """What the metadata of ``wheels`` say, by name, with all of the files that each has; remembered by the key."""
    key = key_of("distributions", code_key(__name__), wheels.key)
    known = workspace.cache.recall("distributions", key)
    if known is None:
        found = {each.name: each for each in _distributions(wheels)}
        known = {name: msgspec.to_builtins(each) for name, each in found.items()}
        workspace.cache.remember("distributions", key, known)
    return {name: msgspec.convert(each, DistributionMetadata) for name, each in known.items()}


def distributions_in_code(code: LazyTree) -> dict[str, DistributionMetadata]:
    """The app's own distribution, by its name, with the modules of its ``code``; none where it has no metadata."""
    found: dict[str, DistributionMetadata] = {}
    for path, file in code.tree.files():
        if path.endswith(".dist-info/METADATA"):
            root = path.rsplit("/", 2)[0] + "/"
            record = "\n".join(each.removeprefix(root) for each, _ in code.tree.files() if each.startswith(root))
            if metadata := read_metadata(_text(file), record):
                found[metadata.name] = metadata
    return found


def _distributions(wheels: LazyTree) -> Iterator[DistributionMetadata]:
    for path, file in wheels.tree.files():
        if path.endswith(".dist-info/METADATA"):
            folder = path.removesuffix("METADATA")
            boms = [_text(each) for inner, each in wheels.tree.files() if inner.startswith(f"{folder}sboms/")]
            metadata = read_metadata(_text(file), _record(file), boms=boms)
            if metadata is not None:
                yield metadata


def _record(metadata: File) -> str:
    """RECORD, which lies beside the file ``metadata`` where uv has installed it, and goes into no image."""
    content: Any = metadata.content
    path = Path(content.path).with_name("RECORD") if isinstance(content, OnDisk) else None
    return path.read_text(encoding="utf-8", errors="replace") if path is not None and path.is_file() else ""


def _text(file: File) -> str:
    with file.content.open() as stream:
        return stream.read().decode("utf-8", "replace")
