"""Entry points of installed distributions (packaging.python.org, entry points specification)."""

from __future__ import annotations

from configparser import ConfigParser, Error
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from cannery.image.tree import Tree
    from cannery.imports.places import Place

__all__ = ["entry_points", "metadata_read"]

_READ = (".dist-info/METADATA", ".dist-info/entry_points.txt", ".dist-info/top_level.txt")
_SCRIPTS = {"console_scripts", "gui_scripts"}  # groups of programs, which start by themselves


def entry_points(places: Iterable[Place]) -> dict[str, frozenset[tuple[str, str]]]:
    """Group -> (module, attribute) of its entry points; groups of scripts are left out."""
    groups: dict[str, set[tuple[str, str]]] = {}
    for place in places:
        for path, file in place.tree.tree.files():
            if path.endswith(".dist-info/entry_points.txt"):
                with file.content.open() as stream:
                    _read(stream.read().decode("utf-8", "replace"), groups)
    return {group: frozenset(modules) for group, modules in groups.items()}


def metadata_read(tree: Tree, reached: Container[str]) -> Iterator[str]:
    """The files of distributions that ``importlib.metadata`` reads, if the program reaches that module."""
    if "importlib.metadata" in reached:
        for path, _ in tree.files():
            if path.endswith(_READ):
                yield path


def _read(text: str, groups: dict[str, set[tuple[str, str]]]) -> None:
    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except Error:
        return  # importlib.metadata can't read it either
    for group in parser.sections():
        if group not in _SCRIPTS:
            groups.setdefault(group, set()).update(_reference(value) for _, value in parser.items(group))


def _reference(value: str) -> tuple[str, str]:
    module, _, attribute = value.partition("[")[0].partition(":")
    return module.strip(), attribute.strip().partition(".")[0]
