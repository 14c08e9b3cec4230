"""Garbage collection that slows neither a start nor an end: rules that the image's Python reads before any program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.image.content import Inline
from cannery.image.tree import File, Transform, Tree
from cannery.workspace.keys import code_key, key_of, package_file

if TYPE_CHECKING:
    from cannery.python.interpreter import Interpreter

__all__ = ["seldom_collecting"]

_SOURCE = package_file("trees/payload/collecting.py")
_NAME = "_cannery_collecting"


def seldom_collecting(interpreter: Interpreter) -> Transform:
    """The transform that adds the module with the rules, and the .pth file by which Python imports it."""
    folder = interpreter.image_site_packages
    added = Tree(
        {
            f"{folder}/{_NAME}.py": File(Inline(_SOURCE.read_bytes())),
            # Before other files of the kind: what these import counts, and what is first at exit is called last.
            f"{folder}/00{_NAME}.pth": File(Inline(f"import {_NAME}\n".encode())),
        }
    )
    return Transform(key_of("seldom collecting", code_key(__name__), folder), lambda tree: tree + added)
