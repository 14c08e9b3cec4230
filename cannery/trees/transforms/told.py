"""Modules that were left out, told to whoever imports one: the image's own finder says which setting takes it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.image.content import Inline
from cannery.image.tree import File, Transform, Tree
from cannery.workspace.keys import code_key, key_of, package_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.python.interpreter import Interpreter

__all__ = ["told"]

_SOURCE = package_file("trees/payload/left_out.py")
_NAME = "_cannery_left_out"


def told(left_out: Iterable[str], interpreter: Interpreter) -> Transform:
    """The transform that adds the finder, the names of the modules ``left_out``, and the .pth file that imports it."""
    stem, names = f"{interpreter.image_site_packages}/{_NAME}", "\n".join(sorted(left_out))
    added = Tree(
        {
            f"{stem}.py": File(Inline(_SOURCE.read_bytes())),
            f"{stem}.txt": File(Inline(names.encode())),
            f"{stem}.pth": File(Inline(f"import {_NAME}\n".encode())),
        }
    )
    key = key_of("told", code_key(__name__), interpreter.image_site_packages, names)
    return Transform(key, lambda tree: tree + added)
