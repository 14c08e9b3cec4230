"""Whiteouts for distributions of a base that the app brings in another version, as ``pip install`` removes the old.

Otherwise the files of both would lie in one folder, and ``importlib.metadata`` would find two versions.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from cannery.image.content import Inline
from cannery.image.layer import OPAQUE, WHITEOUT
from cannery.image.tree import Entry, File, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.rootfs import Root

__all__ = ["without_replaced"]

_INFO = re.compile(r"(?P<name>.+?)-[^-]+\.(?:dist-info|egg-info)")


def without_replaced(tree: Tree, root: Root, site_packages: str) -> Tree:
    """``tree`` with whiteouts for the files of ``root`` that belong to a distribution which ``tree`` brings, too."""
    folder = root.resolve(site_packages)
    if folder is None:
        return tree
    on_disk = root.on_disk(folder)
    below = f"{site_packages}/"
    ours = {name for path in tree.entries if path.startswith(below) and (name := _distribution(path, below))}
    names = sorted(each.name for each in on_disk.iterdir())
    gone = [info for info in names if (match := _INFO.fullmatch(info)) and canonicalize_name(match["name"]) in ours]
    whiteouts: dict[str, Entry] = {}
    for info in gone:
        for name in {info, *_top_level(root, f"{folder}/{info}")}:
            if (on_disk / name).exists():
                whiteouts.update(_hidden(tree, f"{below}{name}"))
    return tree + Tree(whiteouts)


def _hidden(tree: Tree, path: str) -> Iterator[tuple[str, Entry]]:
    """The entry that hides ``path`` of the base: a whiteout, or an opaque one for a folder that ``tree`` has, too."""
    nothing = File(Inline(b""))
    if any(each.startswith(f"{path}/") for each in tree.entries):
        yield f"{path}/{OPAQUE}", nothing
    elif path not in tree:
        yield f"{posixpath.dirname(path)}/{WHITEOUT}{posixpath.basename(path)}", nothing


def _top_level(root: Root, info: str) -> set[str]:
    """The names in site-packages that belong to one distribution alone, by its RECORD.

    A namespace package isn't among them, as others may share it: the app's files there replace the base's one by one.
    """
    record = root.content(f"{info}/RECORD")
    lines = record.path.read_text("utf-8", "replace").splitlines() if record else []
    paths = {line.rpartition(",")[0].rpartition(",")[0].strip('"') for line in lines}
    folder = posixpath.dirname(info)
    names = {path.partition("/")[0] for path in paths if path and not path.startswith(("/", ".."))}
    shared = {name for name in names if _is_folder(root, f"{folder}/{name}") and f"{name}/__init__.py" not in paths}
    return names - {name for name in shared if not name.endswith((".dist-info", ".libs", ".data"))} - {"__pycache__"}


def _is_folder(root: Root, path: str) -> bool:
    return root.on_disk(path).is_dir()


def _distribution(path: str, below: str) -> str | None:
    match = _INFO.fullmatch(path.removeprefix(below).partition("/")[0])
    return canonicalize_name(match["name"]) if match else None
